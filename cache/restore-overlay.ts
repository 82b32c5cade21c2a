// A disk as an overlay on another one that is here: only chunks that differ are written, on any filesystem. What stays
// is the other disk's, so its cells must be those of its disk digest, and the result is checked against the file's.

import { open, rm, type FileHandle } from 'node:fs/promises'
import { startCellThreads } from './cell-threads.ts'
import type { Inherited } from './chunk-file.ts'
import type { ChunkReader } from './chunk-reader.ts'
import { cellSize, makeDiskDigest } from './disk-digest.ts'
import { mergeExtents, type Extent } from './extents.ts'
import type { CellPlan } from './make-cells.ts'
import type { MapEntry } from './map-format.ts'
import { clusterSize, dataOffset, renderQcow2 } from './qcow2-layout.ts'
import { readMapEntries, readMapRoot } from './read-map.ts'
import { locatePieces, untilWhole } from './restore-cells.ts'
import type { ArtifactFile } from './store.ts'

export interface OverlayBase {
  /** Of the disk below, nearest first. */
  readonly files: readonly string[]
  readonly inherited: Inherited
}

interface From extends OverlayBase {
  readonly dir: string
  readonly reader: ChunkReader
}

/** Throws `MapError` and `ChunkLost` as restoring whole does; the file is gone then. */
export async function restoreOverlay(file: ArtifactFile, to: string, from: From): Promise<void> {
  const { reader, inherited } = from
  const entries = await readMapEntries(reader, readMapRoot(from.dir, file))
  const changes = compareEntries(inherited.entries, entries)
  const handle = await open(to, 'wx')
  try {
    await untilWhole(file, { reader, chunks: async () => changes.written }, async () => {
      await handle.truncate()
      return writeChanges(handle, { file, changes, from })
    })
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
  readonly from: From
}

/** The disk digest of the result. */
async function writeChanges(handle: FileHandle, { file, changes, from }: Overlay): Promise<string> {
  const { size } = file
  const clusters = clustersOf([...changes.cleared, ...changes.written.map(toExtent)], size)
  const cells = new Map(from.inherited.cells)
  const zeros = new Set<number>()
  const plans = planCells(
    { size, clusters, cleared: changes.cleared },
    locatePieces(changes.written, from.reader),
  )
  const bytes = changes.written.reduce((sum, { length }) => sum + length, 0)
  const threads = startCellThreads({ out: handle.fd, size, dir: from.dir, base: from.files }, bytes)
  try {
    await threads.make(plans, ({ number, hash, zeroClusters }) => {
      if (hash === undefined) cells.delete(number)
      else cells.set(number, hash)
      for (const cluster of zeroClusters) zeros.add(cluster)
    })
  } finally {
    await threads.end()
  }
  const backing = { path: from.files[0]!, format: from.files.length === 1 ? 'raw' : 'qcow2' } as const
  const stored = clusters.map((number) => ({ number, isZero: zeros.has(number) }))
  await handle.write(renderQcow2({ size, clusters: stored, backing }), 0, undefined, 0)
  const digest = makeDiskDigest(size)
  for (const [number, hash] of cells) digest.set(number, hash)
  return digest.compute()
}

/** `clusters` lie in the file in this order. */
function planCells(
  { size, clusters, cleared }: { size: number; clusters: readonly number[]; cleared: readonly Extent[] },
  pieces: ReadonlyMap<number, CellPlan['pieces']>,
): readonly CellPlan[] {
  const cells = new Map<number, { readonly number: number; readonly to: number }[]>()
  for (const [place, number] of clusters.entries()) {
    const cell = Math.floor((number * clusterSize) / cellSize)
    const planned = cells.get(cell) ?? []
    cells.set(cell, planned)
    planned.push({ number, to: dataOffset(size) + place * clusterSize })
  }
  return [...cells].map(([number, planned]) => ({
    number,
    pieces: pieces.get(number) ?? [],
    overlay: { cleared: within(cleared, number * cellSize), clusters: planned },
  }))
}

/** What of the extents is in the cell that begins at `start`. */
const within = (extents: readonly Extent[], start: number): readonly Extent[] =>
  extents
    .map((extent) => ({ start: Math.max(start, extent.start), end: Math.min(start + cellSize, extent.end) }))
    .filter((extent) => extent.start < extent.end)

function clustersOf(extents: readonly Extent[], size: number): readonly number[] {
  const numbers = new Set<number>()
  for (const { start, end } of mergeExtents(extents, size)) {
    for (let number = Math.floor(start / clusterSize); number * clusterSize < end; number++)
      numbers.add(number)
  }
  return [...numbers]
}
