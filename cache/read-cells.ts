// A file's data in cells of a grid, the next one read while the last is worked on.

import { ImgError } from '../tasks/errors.ts'
import { cellSize as digestCell } from './disk-digest.ts'
import type { Extent } from './extents.ts'

/** What a `FileHandle` of a plain file gives, and other formats imitate. */
export interface CellFile {
  readonly path: string
  readonly size: number
  readonly handle: {
    read(
      into: Buffer,
      offset: number,
      length: number,
      position: number,
    ): Promise<{ readonly bytesRead: number }>
  }
}

export interface Cell {
  readonly number: number
  /** Holes as zeros; shorter at the end of the file. Overwritten when the cell after the next is asked for. */
  readonly bytes: Buffer
}

/** Only cells that overlap an extent, in order; of the disk digest's grid unless told. */
export async function* readCells(
  file: CellFile,
  extents: readonly Extent[],
  cellSize: number = digestCell,
): AsyncGenerator<Cell> {
  const buffers = [Buffer.allocUnsafeSlow(cellSize), Buffer.allocUnsafeSlow(cellSize)] as const
  let turn = 0
  let ahead: Promise<Cell> | undefined
  try {
    for (const { number, ranges } of cellsOf(extents, file.size, cellSize)) {
      const bytes = buffers[turn]!.subarray(0, Math.min(cellSize, file.size - number * cellSize))
      turn = 1 - turn
      const previous = await ahead
      ahead = readCell(file, { number, bytes, start: number * cellSize }, ranges)
      if (previous !== undefined) yield previous
    }
    if (ahead !== undefined) yield await ahead
    ahead = undefined
  } finally {
    // Nobody closes the file under a read that is still going on.
    await ahead?.catch(() => undefined)
  }
}

async function readCell(
  file: CellFile,
  { start, ...cell }: Cell & { readonly start: number },
  ranges: readonly Extent[],
): Promise<Cell> {
  let filled = 0
  for (const range of ranges) {
    const [from, to] = [range.start - start, range.end - start]
    cell.bytes.fill(0, filled, from)
    for (let at = from; at < to;) {
      at += await readSome(file, { into: cell.bytes.subarray(at, to), position: start + at })
    }
    filled = to
  }
  cell.bytes.fill(0, filled)
  return cell
}

async function readSome(
  { handle, path }: CellFile,
  { into, position }: { readonly into: Buffer; readonly position: number },
): Promise<number> {
  let count: number
  try {
    count = (await handle.read(into, 0, into.length, position)).bytesRead
  } catch (cause) {
    throw new ImgError(
      'INPUT_MISSING',
      `cannot read ${path} at byte ${position}: ${(cause as Error).message}`,
      {
        path,
        hint: 'check the disk it is on and the kernel log',
        cause,
      },
    )
  }
  if (count > 0) return count
  throw new ImgError(
    'INPUT_CHANGED',
    `${path} got shorter than ${position} bytes while it was being stored`,
    {
      path,
      hint: 'make sure nothing writes to it, then run the command again',
    },
  )
}

function* cellsOf(
  extents: readonly Extent[],
  size: number,
  cellSize: number,
): Generator<{ number: number; ranges: Extent[] }> {
  let cell: { number: number; ranges: Extent[] } | undefined
  for (const { start, end } of extents) {
    for (let at = start; at < Math.min(end, size);) {
      const number = Math.floor(at / cellSize)
      const to = Math.min(end, size, (number + 1) * cellSize)
      if (cell !== undefined && cell.number !== number) {
        yield cell
        cell = undefined
      }
      cell ??= { number, ranges: [] }
      cell.ranges.push({ start: at, end: to })
      at = to
    }
  }
  if (cell !== undefined) yield cell
}
