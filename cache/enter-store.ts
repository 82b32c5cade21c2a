// Being in the store: a shared lock of it, a lease that says since when we may be reading what a collection would
// remove, and what everything else works with. The first one in clears up what killed ones left.

import { randomUUID } from 'node:crypto'
import { rm, writeFile, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { openChunkIndex, type ChunkIndex } from './chunk-index.ts'
import { openDisks, type Disks } from './disks.ts'
import { openLock, shareLock, tryLock, waitForLock } from './locks.ts'
import { takeLease, type Lease } from './leases.ts'
import { makeFolder } from './make-folder.ts'
import type { StoreDir } from './store-dir.ts'
import type { Artifact } from './store.ts'
import { loadZstd, type Zstd } from './zstd.ts'

export interface Inside {
  readonly index: ChunkIndex
  readonly zstd: Zstd
  readonly disks: Disks
  readonly lease: Lease
  readonly unsaved: Unsaved
  leave(): Promise<void>
}

export interface EnterOptions {
  readonly now: () => number
  /** Allocated bytes of materialised disks to keep; 20 GiB unless told. */
  readonly disksLimit?: number
}

export async function enterStore(at: StoreDir, options: EnterOptions): Promise<Inside> {
  const lock = await openLock(at.lock)
  try {
    if (await tryLock(lock, 'exclusive')) {
      const { tidyStore } = await import('./tidy.ts')
      await tidyStore(at)
      await shareLock(lock)
    } else await waitForLock(lock, 'shared')
    const lease = await takeLease(at)
    const disks = openDisks(at, { limit: options.disksLimit ?? defaultDisksLimit, now: options.now })
    const unsaved = openUnsaved(at)
    return {
      index: openChunkIndex(at, 'quarantine'),
      zstd: await loadZstd(),
      disks,
      lease,
      unsaved,
      async leave() {
        await unsaved.close()
        await disks.close()
        await lease.end()
        await lock.close()
      },
    }
  } catch (cause) {
    await lock.close()
    throw cause
  }
}

const defaultDisksLimit = 20 * 1024 ** 3

/** Leaves a mark behind when we die on the way. */
export async function whileWriting<T>(at: StoreDir, fn: () => Promise<T>): Promise<T> {
  makeFolder(at.writing)
  const mark = join(at.writing, randomUUID())
  await writeFile(mark, '')
  try {
    return await fn()
  } finally {
    await rm(mark, { force: true })
  }
}

/** From the start of a put until its record is saved, or until we leave, no collection removes anything. */
interface Unsaved {
  /** What `fn` puts stays protected until it is `saved`. */
  putting(fn: () => Promise<Artifact>): Promise<Artifact>
  saving(artifact: Artifact, fn: () => Promise<void>): Promise<void>
}

function openUnsaved(at: StoreDir): Unsaved & { close(): Promise<void> } {
  let running = 0
  const waiting = new Set<string>()
  let locked: Promise<FileHandle> | undefined
  const release = async (): Promise<void> => {
    const handle = locked
    locked = undefined
    await (await handle)?.close()
  }
  const holding = async <T>(fn: () => Promise<T>): Promise<T> => {
    running++
    locked ??= lockShared(at.sweep)
    try {
      await locked
      return await fn()
    } finally {
      running--
      if (running === 0 && waiting.size === 0) await release()
    }
  }
  return {
    putting: (fn) =>
      holding(async () => {
        const artifact = await fn()
        for (const { mapDigest } of Object.values(artifact)) waiting.add(mapDigest)
        return artifact
      }),
    saving: (artifact, fn) =>
      holding(async () => {
        await fn()
        for (const { mapDigest } of Object.values(artifact)) waiting.delete(mapDigest)
      }),
    close: release,
  }
}

async function lockShared(path: string): Promise<FileHandle> {
  const handle = await openLock(path)
  await waitForLock(handle, 'shared')
  return handle
}
