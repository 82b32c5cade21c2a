// A file out of the store: sparse, and checked as a whole against its disk digest before it gets its name. A file that
// does not check out is never seen.

import { randomUUID } from 'node:crypto'
import { open, rename, rm, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { startCellThreads } from './cell-threads.ts'
import type { ChunkReader } from './chunk-reader.ts'
import { makeDiskDigest } from './disk-digest.ts'
import { syncPath } from './durable.ts'
import type { MapEntry } from './map-format.ts'
import { readMapEntries, readMapRoot } from './read-map.ts'
import { locatePieces, untilWhole } from './restore-cells.ts'
import type { ArtifactFile } from './store.ts'

export interface RestoreOptions {
  readonly dir: string
  readonly reader: ChunkReader
  /** Whether it must survive a power cut. */
  readonly durable: boolean
  readonly mode?: number
}

/** Throws `MapError` and `ChunkLost`. */
export async function restoreFile(file: ArtifactFile, to: string, options: RestoreOptions): Promise<void> {
  const temporary = join(dirname(to), `.${basename(to)}.${randomUUID()}.partial`)
  try {
    const handle = await open(temporary, 'wx', options.mode)
    try {
      await handle.truncate(file.size)
      await writeWhole(handle, file, options)
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

async function writeWhole(
  handle: FileHandle,
  file: ArtifactFile,
  { dir, reader }: RestoreOptions,
): Promise<void> {
  const root = readMapRoot(dir, file)
  const chunks = (): Promise<readonly MapEntry[]> => readMapEntries(reader, root)
  await untilWhole(file, { reader, chunks }, async () => {
    const threads = startCellThreads({ out: handle.fd, size: file.size, dir }, file.dataBytes)
    try {
      const pieces = locatePieces(await chunks(), reader)
      const plans = [...pieces].map(([number, inside]) => ({ number, pieces: inside }))
      const digest = makeDiskDigest(file.size)
      await threads.make(plans, ({ number, hash }) => hash && digest.set(number, hash))
      return digest.compute()
    } finally {
      await threads.end()
    }
  })
}
