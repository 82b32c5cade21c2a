// A file out of the store: sparse, and checked as a whole against its disk digest before it gets its name. A file that
// does not check out is never seen.

import { createHash, randomUUID, type Hash } from 'node:crypto'
import { open, rename, rm, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { ChunkReader } from './chunk-reader.ts'
import { cellSize, makeDiskDigest } from './disk-digest.ts'
import { syncPath } from './durable.ts'
import { MapError, type MapEntry, type MapRoot } from './map-format.ts'
import { readMapEntries, readMapRoot } from './read-map.ts'
import type { ArtifactFile } from './store.ts'
import { writeParts } from './write-parts.ts'

export interface RestoreOptions {
  readonly dir: string
  readonly reader: ChunkReader
  /** Whether it must survive a power cut. */
  readonly durable: boolean
  readonly mode?: number
}

export async function restoreFile(file: ArtifactFile, to: string, options: RestoreOptions): Promise<void> {
  const root = readMapRoot(options.dir, file)
  const temporary = join(dirname(to), `.${basename(to)}.${randomUUID()}.partial`)
  try {
    const handle = await open(temporary, 'wx', options.mode)
    try {
      await handle.truncate(root.size)
      const { reader } = options
      let found = await writeChunks(handle, readAhead(reader, root, reader.readUnverified), root.size)
      // Once more to see which chunk it is; the store may have it twice.
      if (found !== file.diskDigest)
        found = await writeChunks(handle, readAhead(reader, root, reader.read), root.size)
      if (found !== file.diskDigest)
        throw new MapError(`gives the bytes ${found} instead of ${file.diskDigest}`)
      if (options.durable) await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, to)
    if (options.durable) await syncPath(dirname(to))
  } catch (cause) {
    await rm(temporary, { force: true })
    throw cause
  }
}

async function writeChunks(
  handle: FileHandle,
  chunks: AsyncGenerator<PlacedChunk>,
  size: number,
): Promise<string> {
  const digest = makeDiskDigest(size)
  const busy: Promise<void>[] = []
  let cell = openCell(0, size)
  const endCell = async (): Promise<void> => {
    if (cell.runs.length === 0) return
    digest.set(cell.number, closeCell(cell))
    busy.push(
      Promise.all(cell.runs.map(({ parts, from }) => writeParts(handle, parts, from))).then(() => undefined),
    )
    busy.at(-1)?.catch(() => undefined)
    if (busy.length > cellsInFlight) await busy.shift()
  }
  try {
    for await (const { entry, chunk } of chunks) {
      for (let done = 0; done < chunk.length;) {
        const offset = entry.offset + done
        const number = Math.floor(offset / cellSize)
        if (number !== cell.number) {
          await endCell()
          cell = openCell(number, size)
        }
        const part = chunk.subarray(done, done + cell.end - offset)
        addToCell(cell, offset, part)
        done += part.length
      }
    }
    await endCell()
  } finally {
    await Promise.allSettled(busy)
  }
  await Promise.all(busy)
  return digest.compute()
}

interface PlacedChunk {
  readonly entry: MapEntry
  readonly chunk: Buffer
}

/** Chunks in order, several being read and decoded at once. */
async function* readAhead(
  reader: ChunkReader,
  root: MapRoot,
  read: ChunkReader['read'],
): AsyncGenerator<PlacedChunk> {
  const ahead: { entry: MapEntry; chunk: Promise<Buffer> }[] = []
  try {
    for await (const entry of readMapEntries(reader, root)) {
      const chunk = read(entry.digest)
      // Awaited in its turn; an earlier failure must not leave it unhandled.
      chunk.catch(() => undefined)
      ahead.push({ entry, chunk })
      if (ahead.length > chunksAhead) yield await settled(ahead.shift()!)
    }
    while (ahead.length > 0) yield await settled(ahead.shift()!)
  } finally {
    await Promise.allSettled(ahead.map(({ chunk }) => chunk))
  }
}

async function settled(next: { entry: MapEntry; chunk: Promise<Buffer> }): Promise<PlacedChunk> {
  const chunk = await next.chunk
  if (chunk.length !== next.entry.length) {
    throw new MapError(
      `has ${next.entry.length} bytes at ${next.entry.offset} for a chunk of ${chunk.length}`,
    )
  }
  return { entry: next.entry, chunk }
}

const chunksAhead = 24
const cellsInFlight = 6

/** Data without a hole in it, written at once. */
interface Run {
  readonly from: number
  to: number
  readonly parts: Buffer[]
}

interface OpenCell {
  readonly number: number
  /** Offset in the file, as all below. */
  readonly end: number
  /** In this thread: another would need the bytes in one piece, and to copy them. */
  readonly hash: Hash
  /** Hashed up to here. */
  at: number
  readonly runs: Run[]
}

function openCell(number: number, size: number): OpenCell {
  const start = number * cellSize
  const end = Math.min(size, start + cellSize)
  return { number, end, hash: createHash('sha256'), at: start, runs: [] }
}

function addToCell(cell: OpenCell, offset: number, part: Buffer): void {
  hashZeros(cell, offset)
  cell.hash.update(part)
  cell.at = offset + part.length
  const last = cell.runs.at(-1)
  if (last?.to === offset) {
    last.parts.push(part)
    last.to = cell.at
  } else cell.runs.push({ from: offset, to: cell.at, parts: [part] })
}

function hashZeros(cell: OpenCell, to: number): void {
  if (to > cell.at) cell.hash.update(zeros.subarray(0, to - cell.at))
}

function closeCell(cell: OpenCell): Buffer {
  hashZeros(cell, cell.end)
  return cell.hash.digest()
}

const zeros = Buffer.alloc(cellSize)
