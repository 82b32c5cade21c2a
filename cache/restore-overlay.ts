// A disk as an overlay on another one that is here: only chunks that differ are written, on any filesystem. What stays
// is the other disk's, so its cells must be those of its disk digest, and the result is checked against the file's.

import { open, rm, type FileHandle } from 'node:fs/promises'
import { cellSize, hashCell, makeDiskDigest } from './disk-digest.ts'
import type { BlockSource } from './block-source.ts'
import type { Inherited } from './chunk-file.ts'
import type { ChunkReader } from './chunk-reader.ts'
import { mergeExtents, type Extent } from './extents.ts'
import { MapError, type MapEntry } from './map-format.ts'
import { clusterSize, dataOffset, renderQcow2 } from './qcow2-layout.ts'
import { readMapEntries, readMapRoot } from './read-map.ts'
import type { ArtifactFile } from './store.ts'
import { writeParts } from './write-parts.ts'

export interface OverlayBase {
  readonly source: BlockSource
  readonly inherited: Inherited
  /** For the overlay's header. */
  readonly path: string
  readonly format: 'raw' | 'qcow2'
}

/** Throws `MapError` and `ChunkLost` as restoring whole does; the file is gone then. */
export async function restoreOverlay(
  file: ArtifactFile,
  to: string,
  on: OverlayBase & { readonly dir: string; readonly reader: ChunkReader },
): Promise<void> {
  const root = readMapRoot(on.dir, file)
  const entries: MapEntry[] = []
  for await (const entry of readMapEntries(on.reader, root)) entries.push(entry)
  const changes = compareEntries(on.inherited.entries, entries)
  const handle = await open(to, 'wx')
  try {
    const { reader } = on
    let found = await writeChanges(handle, { file, changes, on, read: reader.readUnverified })
    // Once more to see which chunk it is; the store may have it twice.
    if (found !== file.diskDigest) {
      await handle.truncate()
      found = await writeChanges(handle, { file, changes, on, read: reader.read })
    }
    if (found !== file.diskDigest)
      throw new MapError(`gives the bytes ${found} instead of ${file.diskDigest}`)
  } catch (cause) {
    await rm(to, { force: true })
    throw cause
  } finally {
    await handle.close()
  }
}

interface Changes {
  /** What the base has there becomes zeros, unless a chunk is written over it. */
  readonly cleared: readonly Extent[]
  readonly written: readonly MapEntry[]
}

function compareEntries(base: readonly MapEntry[], wanted: readonly MapEntry[]): Changes {
  const kept = new Map(base.map((entry) => [entry.offset, entry]))
  const written = wanted.filter((entry) => {
    const before = kept.get(entry.offset)
    const isSame = before?.length === entry.length && before.digest.equals(entry.digest)
    if (isSame) kept.delete(entry.offset)
    return !isSame
  })
  return { written, cleared: [...kept.values()].map(toExtent) }
}

const toExtent = ({ offset, length }: MapEntry): Extent => ({ start: offset, end: offset + length })

interface Overlay {
  readonly file: ArtifactFile
  readonly changes: Changes
  readonly on: OverlayBase
  readonly read: ChunkReader['read']
}

/** The disk digest of the result. Several cells are made at once, and written in order. */
async function writeChanges(handle: FileHandle, overlay: Overlay): Promise<string> {
  const { changes, on } = overlay
  const { size } = overlay.file
  const dirty = mergeExtents([...changes.cleared, ...changes.written.map(toExtent)], size)
  const cells = new Map(on.inherited.cells)
  const clusters: { readonly number: number; readonly isZero: boolean }[] = []
  let end = dataOffset(size)
  const append = async ({ number, cell, hash }: MadeCell): Promise<void> => {
    if (hash === undefined) cells.delete(number)
    else cells.set(number, hash)
    const parts: Buffer[] = []
    for (let at = 0; at < cell.length; at += clusterSize) {
      const from = number * cellSize + at
      if (!overlaps(dirty, from, from + clusterSize)) continue
      const cluster = cell.subarray(at, at + clusterSize)
      clusters.push({ number: from / clusterSize, isZero: isZero(cluster) })
      if (!isZero(cluster)) parts.push(cluster)
    }
    await writeParts(handle, parts, end)
    end += parts.length * clusterSize
  }
  const ahead: Promise<MadeCell>[] = []
  try {
    for (const number of cellsOf(dirty)) {
      ahead.push(makeCell(number, overlay))
      // Awaited in its turn; an earlier failure must not leave it unhandled.
      ahead.at(-1)?.catch(() => undefined)
      if (ahead.length > cellsAhead) await append(await ahead.shift()!)
    }
    while (ahead.length > 0) await append(await ahead.shift()!)
  } finally {
    await Promise.allSettled(ahead)
  }
  await handle.write(renderQcow2({ size, clusters, backing: on }), 0, undefined, 0)
  const digest = makeDiskDigest(size)
  for (const [number, hash] of cells) digest.set(number, hash)
  return digest.compute()
}

const cellsAhead = 6

interface MadeCell {
  readonly number: number
  /** Whole clusters. */
  readonly cell: Buffer
  /** Undefined for zeros. */
  readonly hash: Buffer | undefined
}

async function makeCell(number: number, { file, changes, on, read }: Overlay): Promise<MadeCell> {
  const start = number * cellSize
  const length = Math.min(file.size - start, cellSize)
  // Room for the last cluster to be whole.
  const cell = Buffer.alloc(Math.ceil(length / clusterSize) * clusterSize)
  const bytes = cell.subarray(0, length)
  on.source.read(start, bytes)
  await applyChanges(bytes, start, { ...changes, read })
  return { number, cell, hash: isZero(bytes) ? undefined : await hashCell(bytes) }
}

async function applyChanges(
  bytes: Buffer,
  start: number,
  { cleared, written, read }: Changes & Pick<Overlay, 'read'>,
): Promise<void> {
  const end = start + bytes.length
  for (const range of within(cleared, start, end)) {
    bytes.fill(0, Math.max(0, range.start - start), Math.min(bytes.length, range.end - start))
  }
  const inside = written.filter(({ offset, length }) => offset < end && offset + length > start)
  const chunks = inside.map(({ digest }) => read(digest))
  // All have ended when one throws: the reader is closed then.
  await Promise.allSettled(chunks)
  for (const [place, { offset, length }] of inside.entries()) {
    const chunk = await chunks[place]!
    if (chunk.length !== length)
      throw new MapError(`has ${length} bytes at ${offset} for a chunk of ${chunk.length}`)
    chunk.copy(bytes, Math.max(0, offset - start), Math.max(0, start - offset))
  }
}

const within = (extents: readonly Extent[], start: number, end: number): readonly Extent[] =>
  extents.filter((extent) => extent.start < end && extent.end > start)

const overlaps = (extents: readonly Extent[], start: number, end: number): boolean =>
  extents.some((extent) => extent.start < end && extent.end > start)

function cellsOf(extents: readonly Extent[]): readonly number[] {
  const numbers = new Set<number>()
  for (const { start, end } of extents) {
    for (let number = Math.floor(start / cellSize); number * cellSize < end; number++) numbers.add(number)
  }
  return [...numbers]
}

const zeroCell = Buffer.alloc(cellSize)
const isZero = (bytes: Buffer): boolean => zeroCell.compare(bytes, 0, bytes.length, 0, bytes.length) === 0
