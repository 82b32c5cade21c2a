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
    const found = await writeChanges(handle, { file, changes, on })
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

/** The disk digest of the result. */
async function writeChanges(
  handle: FileHandle,
  { file, changes, on }: { file: ArtifactFile; changes: Changes; on: OverlayBase & { reader: ChunkReader } },
): Promise<string> {
  const { size } = file
  const dirty = mergeExtents([...changes.cleared, ...changes.written.map(toExtent)], size)
  const cells = new Map(on.inherited.cells)
  const clusters: { readonly number: number; readonly isZero: boolean }[] = []
  const start = dataOffset(size)
  let stored = 0
  for (const number of cellsOf(dirty)) {
    const range = { start: number * cellSize, end: Math.min(size, (number + 1) * cellSize) }
    // Room for the last cluster to be whole.
    const cell = Buffer.alloc(Math.ceil((range.end - range.start) / clusterSize) * clusterSize)
    const bytes = cell.subarray(0, range.end - range.start)
    on.source.read(range.start, bytes)
    await applyChanges(bytes, range.start, { ...changes, reader: on.reader })
    if (isZero(bytes)) cells.delete(number)
    else cells.set(number, await hashCell(bytes))
    for (let at = 0; at < cell.length; at += clusterSize) {
      if (!overlaps(dirty, range.start + at, range.start + at + clusterSize)) continue
      const cluster = cell.subarray(at, at + clusterSize)
      clusters.push({ number: (range.start + at) / clusterSize, isZero: isZero(cluster) })
      if (isZero(cluster)) continue
      await handle.write(cluster, 0, clusterSize, start + stored++ * clusterSize)
    }
  }
  await handle.write(renderQcow2({ size, clusters, backing: on }), 0, undefined, 0)
  const digest = makeDiskDigest(size)
  for (const [number, hash] of cells) digest.set(number, hash)
  return digest.compute()
}

async function applyChanges(
  bytes: Buffer,
  start: number,
  { cleared, written, reader }: Changes & { readonly reader: ChunkReader },
): Promise<void> {
  const end = start + bytes.length
  for (const range of within(cleared, start, end)) {
    bytes.fill(0, Math.max(0, range.start - start), Math.min(bytes.length, range.end - start))
  }
  for (const { offset, digest, length } of written) {
    if (offset >= end || offset + length <= start) continue
    const chunk = await reader.read(digest)
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
