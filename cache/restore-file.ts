// A file out of the store: sparse, every chunk verified, the whole checked against its disk digest before it gets its
// name. A file that does not check out is never seen.

import { randomUUID } from 'node:crypto'
import { open, rename, rm, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { ChunkReader } from './chunk-reader.ts'
import { cellSize, hashCell, makeDiskDigest } from './disk-digest.ts'
import { syncPath } from './durable.ts'
import { MapError, type MapEntry, type MapRoot } from './map-format.ts'
import { readMapEntries, readMapRoot } from './read-map.ts'
import type { ArtifactFile } from './store.ts'

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
  /** Cell buffers to use again: fresh ones cost more in the garbage collector than in memory. */
  const spare: Buffer[] = []
  let cell = openCell(0, size, spare)
  const endCell = async (): Promise<void> => {
    if (cell.ranges.length === 0) return
    const { number, bytes, ranges, buffer } = cell
    busy.push(
      Promise.all([
        hashCell(bytes).then((hash) => digest.set(number, hash)),
        ...ranges.map(({ from, to }) => writeAll(handle, bytes.subarray(from, to), number * cellSize + from)),
      ]).then(() => void spare.push(buffer)),
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
          cell = openCell(number, size, spare)
        }
        done += fillCell(cell, offset - number * cellSize, chunk.subarray(done))
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

interface OpenCell {
  readonly number: number
  readonly buffer: Buffer
  /** As much of it as the file has there. */
  readonly bytes: Buffer
  readonly ranges: { from: number; to: number }[]
}

function openCell(number: number, size: number, spare: Buffer[]): OpenCell {
  const buffer = spare.pop()?.fill(0) ?? Buffer.alloc(cellSize)
  return {
    number,
    buffer,
    bytes: buffer.subarray(0, Math.min(cellSize, size - number * cellSize)),
    ranges: [],
  }
}

/** How much of the data belonged into the cell. */
function fillCell(cell: OpenCell, at: number, data: Buffer): number {
  const length = data.copy(cell.bytes, at)
  const last = cell.ranges.at(-1)
  if (last?.to === at) last.to += length
  else cell.ranges.push({ from: at, to: at + length })
  return length
}

async function writeAll(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, at, bytes.length - at, position + at)
    at += bytesWritten
  }
}
