// Some programs wait for ever where they find no space, instead of failing: apt-get of Debian 12 does, now and then, when
// it unpacks an index.

import type { StatsFs } from 'node:fs'
import { statfs } from 'node:fs/promises'

export interface FullDiskOptions {
  /** How often in a row nothing was said and the free space was the same. */
  readonly looks: number
  /** Milliseconds from one look to the next. */
  readonly everyMs: number
  /** Bytes left on the filesystem of a folder for a user. */
  readonly freeBytes: (directory: string, uid: number) => Promise<number>
}

export interface WatchedFolder {
  readonly directory: string
  /** Who writes there. */
  readonly uid: number
}

export interface FullDiskWatch {
  /** The program said something. */
  heard(): void
  /** Settles with true once the program has stood still on a full disk for too long; never, otherwise. */
  readonly stuck: Promise<true>
  close(): void
}

/** Bytes left below which a failure, or a program that does nothing, is taken for one of a full disk. */
export const littleSpace: number = 64 * 1024 * 1024

/** Watches the filesystem of a folder on behalf of a program that works there. */
export function watchFullDisk(
  { directory, uid }: WatchedFolder,
  options: FullDiskOptions = usual,
): FullDiskWatch {
  let quietLooks = 0
  let freeBefore: number | undefined
  let report: ((value: true) => void) | undefined
  const stuck = new Promise<true>((resolve) => (report = resolve))
  const look = async (): Promise<void> => {
    // A folder that is gone is told by who works in it.
    const free = await options.freeBytes(directory, uid).catch(() => undefined)
    quietLooks = free === undefined || free >= littleSpace || free !== freeBefore ? 0 : quietLooks + 1
    freeBefore = free
    if (quietLooks >= options.looks) report?.(true)
  }
  const timer = setInterval(() => void look(), options.everyMs)
  timer.unref()
  return {
    heard: () => {
      quietLooks = 0
    },
    stuck,
    close: () => clearInterval(timer),
  }
}

export const freeBytes = async (directory: string, uid: number): Promise<number> =>
  bytesLeft(await statfs(directory), uid)

/** Pure. What a filesystem keeps for root is root's to use; one that knows no sizes is never full. */
export function bytesLeft(
  { bavail, bfree, bsize, blocks }: Pick<StatsFs, 'bavail' | 'bfree' | 'bsize' | 'blocks'>,
  uid: number,
): number {
  if (blocks === 0) return Infinity
  return (uid === 0 ? bfree : bavail) * bsize
}

const usual: FullDiskOptions = { looks: 24, everyMs: 5000, freeBytes }
