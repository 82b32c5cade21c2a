// A disk as a range of bytes to read from, whatever file format holds it. Reading is synchronous: parsers read small
// pieces in no order a promise would pay for.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

export interface BlockSource {
  /** Bytes of the disk. */
  readonly size: number
  /** Fills `into` from `position` on; what lies in holes or behind the end is zeros. */
  read(position: number, into: Buffer): void
  close(): void
}

export function openRawSource(path: string): BlockSource {
  const descriptor = openSync(path, 'r')
  return {
    size: fstatSync(descriptor).size,
    read: (position, into) => readFully(descriptor, position, into),
    close: () => closeSync(descriptor),
  }
}

/** Below a disk that stands alone there is nothing. */
export const noSource: BlockSource = {
  size: 0,
  read: (_position, into) => void into.fill(0),
  close: () => undefined,
}

/** A part of another source, which stays open when this one is closed. */
export function partOf(
  whole: BlockSource,
  range: { readonly start: number; readonly size: number },
): BlockSource {
  return {
    size: range.size,
    read(position, into) {
      const inside = Math.max(0, Math.min(into.length, range.size - position))
      if (inside > 0) whole.read(range.start + position, into.subarray(0, inside))
      into.fill(0, inside)
    },
    close: () => undefined,
  }
}

export function readFully(descriptor: number, position: number, into: Buffer): void {
  for (let at = 0; at < into.length;) {
    const count = readSync(descriptor, into, at, into.length - at, position + at)
    if (count === 0) {
      into.fill(0, at)
      return
    }
    at += count
  }
}
