// One pass over a disk: cut into chunks, each with its sha256, and the disk digest. Holes are not read, zeros not kept.
// Of a child only what differs from its parent is read: the rest of its chunks and cells are the parent's.

import { createHash } from 'node:crypto'
import { chunker, makeCutter } from './cut.ts'
import { makeCutHints, type FilePiece } from './cut-hints.ts'
import { cellSize, hashCell, makeDiskDigest } from './disk-digest.ts'
import type { Extent } from './extents.ts'
import type { MapEntry } from './map-format.ts'
import { readCells, type CellFile } from './read-cells.ts'

export interface ChunkedFile {
  readonly entries: readonly MapEntry[]
  /** sha256 of each cell that is not all zeros. */
  readonly cells: ReadonlyMap<number, Uint8Array>
  readonly diskDigest: string
  /** Bytes in chunks. */
  readonly dataBytes: number
}

/** Called in order; the parts are valid until it returns, what it returns is awaited before the next call. */
export type TakeChunk = (digest: Buffer, parts: readonly Buffer[]) => Promise<void> | undefined

export interface ChunkSource {
  readonly file: CellFile
  /** What to look at: the file's data, or of a child all that may differ from its parent. In order, not touching. */
  readonly extents: readonly Extent[]
  readonly pieces: readonly FilePiece[]
  readonly parent?: Inherited
}

/** What a disk of the same size consists of. */
export interface Inherited {
  readonly entries: readonly MapEntry[]
  readonly cells: ReadonlyMap<number, Uint8Array>
}

export async function chunkFile(source: ChunkSource, take: TakeChunk): Promise<ChunkedFile> {
  const { file, extents, parent } = source
  const kept = keepEntries(parent?.entries ?? [], extents)
  const cutting = startCutting(source.pieces, kept.cut, take)
  const cells = new Map(parent?.cells)
  const changed = makeCursor(extents)
  const hashing: Promise<void>[] = []
  // A cell's digest is over all of it, also over what has not changed.
  const read = parent === undefined ? kept.cut : widenToCells(kept.cut, file.size)
  for await (const cell of readCells(file, read)) {
    const start = cell.number * cellSize
    await cutting.cell(cell.bytes, start)
    if (!changed.overlaps(start, start + cell.bytes.length)) continue
    cells.delete(cell.number)
    if (isZero(cell.bytes)) continue
    hashing.push(hashCell(cell.bytes).then((hash) => void cells.set(cell.number, hash)))
    if (hashing.length > 4) await hashing.shift()
  }
  await cutting.end()
  await Promise.all(hashing)
  const entries = mergeEntries(kept.entries, cutting.entries)
  const digest = makeDiskDigest(file.size)
  for (const [number, hash] of cells) digest.set(number, hash)
  const dataBytes = entries.reduce((sum, { length }) => sum + length, 0)
  return { entries, cells, diskDigest: digest.compute(), dataBytes }
}

/** Chunks of the parent that no change touches, and what has to be cut: the changes with the chunks they touch. */
function keepEntries(
  parent: readonly MapEntry[],
  changes: readonly Extent[],
): { readonly entries: readonly MapEntry[]; readonly cut: readonly Extent[] } {
  if (parent.length === 0) return { entries: [], cut: changes }
  const changed = makeCursor(changes)
  const entries: MapEntry[] = []
  const touched: Extent[] = []
  for (const entry of parent) {
    const end = entry.offset + entry.length
    if (changed.overlaps(entry.offset, end)) touched.push({ start: entry.offset, end })
    else entries.push(entry)
  }
  const cut: { start: number; end: number }[] = []
  for (const { start, end } of [...changes, ...touched].toSorted((one, other) => one.start - other.start)) {
    const last = cut.at(-1)
    if (last !== undefined && start <= last.end) last.end = Math.max(last.end, end)
    else cut.push({ start, end })
  }
  return { entries, cut }
}

function widenToCells(extents: readonly Extent[], size: number): readonly Extent[] {
  const wide: { start: number; end: number }[] = []
  for (const { start, end } of extents) {
    const from = Math.floor(start / cellSize) * cellSize
    const to = Math.min(size, Math.ceil(end / cellSize) * cellSize)
    const last = wide.at(-1)
    if (last !== undefined && from <= last.end) last.end = to
    else wide.push({ start: from, end: to })
  }
  return wide
}

/** Asked in growing order whether a range meets one of the extents. */
function makeCursor(extents: readonly Extent[]): { overlaps(start: number, end: number): boolean } {
  let next = 0
  return {
    overlaps(start, end) {
      while (next < extents.length && extents[next]!.end <= start) next++
      return next < extents.length && extents[next]!.start < end
    },
  }
}

const mergeEntries = (kept: readonly MapEntry[], cut: readonly MapEntry[]): readonly MapEntry[] =>
  kept.length === 0 ? cut : [...kept, ...cut].toSorted((one, other) => one.offset - other.offset)

interface Cutting {
  readonly entries: readonly MapEntry[]
  /** The bytes may change afterwards. */
  cell(bytes: Buffer, start: number): Promise<void>
  end(): Promise<void>
}

function startCutting(pieces: readonly FilePiece[], extents: readonly Extent[], take: TakeChunk): Cutting {
  const entries: MapEntry[] = []
  const cutter = makeCutter()
  const hints = makeCutHints(pieces)
  const wanted = makeCursor(extents)
  /** The chunk that is open: where it starts, and its bytes from the cell before. A chunk is shorter than a cell. */
  let current: { readonly offset: number; readonly before: Buffer | undefined } | undefined

  const endChunk = (rest: Buffer): Promise<void> | undefined => {
    const { offset, before } = current!
    current = undefined
    cutter.restart()
    const parts = [before, rest].filter((part) => part !== undefined && part.length > 0) as Buffer[]
    const hash = createHash('sha256')
    let length = 0
    for (const part of parts) {
      hash.update(part)
      length += part.length
    }
    const digest = hash.digest()
    entries.push({ offset, length, digest })
    return take(digest, parts)
  }
  const end = async (): Promise<void> => {
    if (current !== undefined) await endChunk(noBytes)
  }

  return {
    entries,
    async cell(bytes, start) {
      if (current !== undefined && current.offset + (current.before?.length ?? 0) !== start) await end()
      /** Where the open chunk begins in this cell. */
      let from = 0
      for (let at = 0; at < bytes.length; at += chunker.block) {
        const block = bytes.subarray(at, at + chunker.block)
        const hint = hints.at(start + at)
        const isData = wanted.overlaps(start + at, start + at + block.length) && !isZero(block)
        if (current !== undefined && (hint.begins || !isData)) await endChunk(bytes.subarray(from, at))
        if (!isData) continue
        if (current === undefined) {
          current = { offset: start + at, before: undefined }
          from = at
        }
        if (!hint.inFile && cutter.endsWith(block)) await endChunk(bytes.subarray(from, at + block.length))
      }
      if (current !== undefined)
        current = {
          offset: current.offset,
          before: Buffer.concat([current.before ?? noBytes, bytes.subarray(from)]),
        }
    },
    end,
  }
}

const noBytes = Buffer.alloc(0)
const zeroBlock = Buffer.alloc(chunker.block)
const zeroCell = Buffer.alloc(cellSize)

function isZero(block: Buffer): boolean {
  if (block[0] !== 0) return false
  const zeros = block.length > zeroBlock.length ? zeroCell : zeroBlock
  return zeros.compare(block, 0, block.length, 0, block.length) === 0
}
