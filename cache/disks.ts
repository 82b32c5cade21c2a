// Materialised disks, by disk digest, read-only: what overlays stand on, so that a parent is not restored for every
// build. Only a cache: a disk that is not exactly as it was left is made again. Least recently used ones make room.

import { chmod, readFile, rename, rm, stat, utimes, writeFile, type FileHandle } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openLock, tryLock, waitForLock, withKeyLock } from './locks.ts'
import { stampOf, type FileStamp } from './file-stamp.ts'
import type { StoreDir } from './store-dir.ts'
import { errnoOf } from './store-error.ts'
import type { ArtifactFile } from './store.ts'
import { listFolder } from './tidy.ts'
import { makeFolder } from './make-folder.ts'

export interface Disks {
  /** Path of the disk, which stays until `close`. `make` writes it under the path it is given. */
  materialise(file: ArtifactFile, make: (path: string) => Promise<void>): Promise<string>
  /** Whether the file could be moved in; it is left alone otherwise. */
  adopt(path: string, file: ArtifactFile): Promise<boolean>
  /** Allocated bytes and number of disks. */
  usage(): Promise<{ readonly count: number; readonly bytes: number }>
  close(): Promise<void>
}

export interface DisksOptions {
  /** Allocated bytes beyond which unused disks are removed. */
  readonly limit: number
  readonly now: () => number
}

export function openDisks(at: StoreDir, options: DisksOptions): Disks {
  /** Shared locks on what was handed out: nobody removes these. */
  const held = new Map<string, Promise<FileHandle>>()

  const hold = async (digest: string): Promise<void> => {
    const handle = held.get(digest) ?? lockUse(usePath(at, digest))
    held.set(digest, handle)
    await handle
    const seconds = options.now() / 1000
    await utimes(usePath(at, digest), seconds, seconds)
  }

  const exclusively = <T>(digest: string, fn: () => Promise<T>): Promise<T> =>
    withKeyLock({ folder: at.locks, key: `disk:${digest}` }, {}, fn)

  return {
    materialise: (file, make) =>
      exclusively(file.diskDigest, async () => {
        makeFolder(at.disks)
        const path = diskPath(at, file.diskDigest)
        await hold(file.diskDigest)
        if (await isAsLeft(at, file)) return path
        await rm(path, { force: true })
        try {
          await make(path)
        } catch (cause) {
          if (errnoOf(cause) !== 'ENOSPC') throw cause
          await evict(at, 0, held)
          await make(path)
        }
        await leave(at, file)
        await evict(at, options.limit, held)
        return path
      }),
    adopt: (path, file) =>
      exclusively(file.diskDigest, async () => {
        makeFolder(at.disks)
        await hold(file.diskDigest)
        if (await isAsLeft(at, file)) {
          await rm(path)
          return true
        }
        try {
          await rename(path, diskPath(at, file.diskDigest))
        } catch (cause) {
          // On another file system: moving would be copying.
          if (errnoOf(cause) === 'EXDEV') return false
          throw cause
        }
        await leave(at, file)
        await evict(at, options.limit, held)
        return true
      }),
    async usage() {
      const disks = await listDisks(at)
      return { count: disks.length, bytes: disks.reduce((sum, { bytes }) => sum + bytes, 0) }
    },
    async close() {
      const handles = [...held.values()]
      held.clear()
      for (const handle of await Promise.allSettled(handles)) {
        if (handle.status === 'fulfilled') await handle.value.close()
      }
    },
  }
}

interface Left {
  readonly boot: string
  readonly ino: string
  readonly size: string
  readonly mtimeNs: string
}

const diskPath = (at: StoreDir, digest: string): string => join(at.disks, `${digest}.raw`)
const leftPath = (at: StoreDir, digest: string): string => join(at.disks, `${digest}.json`)
const usePath = (at: StoreDir, digest: string): string => join(at.disks, `${digest}.use`)

/** A disk's bytes were verified when it was written; since then nobody may have touched it, nor the power gone. */
async function isAsLeft(at: StoreDir, file: ArtifactFile): Promise<boolean> {
  try {
    const left = JSON.parse(await readFile(leftPath(at, file.diskDigest), 'utf8')) as Left
    const now = toLeft(await stampOf(diskPath(at, file.diskDigest)))
    return (
      left.boot === now.boot &&
      left.ino === now.ino &&
      left.mtimeNs === now.mtimeNs &&
      left.size === String(file.size)
    )
  } catch {
    // Not there or not readable: made again.
    return false
  }
}

async function leave(at: StoreDir, file: ArtifactFile): Promise<void> {
  const path = diskPath(at, file.diskDigest)
  await chmod(path, 0o444)
  await writeFile(leftPath(at, file.diskDigest), JSON.stringify(toLeft(await stampOf(path))))
}

/** The disk is not synced, which takes as long as writing it; so after a reboot it counts as lost. */
function toLeft(stamp: FileStamp): Left {
  return {
    boot: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
    ino: String(stamp.ino),
    size: String(stamp.size),
    mtimeNs: String(stamp.mtimeNs),
  }
}

async function lockUse(path: string): Promise<FileHandle> {
  for (;;) {
    const handle = await openLock(path)
    await waitForLock(handle, 'shared')
    if (await isNamed(handle, path)) return handle
    await handle.close()
  }
}

/** Whoever removes a disk removes this file too: a lock on what has no name holds nothing. */
async function isNamed(handle: FileHandle, path: string): Promise<boolean> {
  const named = await stat(path).catch(() => undefined)
  return (await handle.stat()).ino === named?.ino
}

interface Disk {
  readonly digest: string
  readonly bytes: number
  readonly used: number
}

async function listDisks(at: StoreDir): Promise<readonly Disk[]> {
  const digests = listFolder(at.disks).flatMap((name) => /^([0-9a-f]{64})\.raw$/.exec(name)?.[1] ?? [])
  const disks = await Promise.all(
    digests.map(async (digest): Promise<readonly Disk[]> => {
      const disk = await stat(diskPath(at, digest)).catch(() => undefined)
      const use = await stat(usePath(at, digest)).catch(() => undefined)
      return disk === undefined ? [] : [{ digest, bytes: disk.blocks * 512, used: use?.mtimeMs ?? 0 }]
    }),
  )
  return disks.flat().toSorted((a, b) => a.used - b.used)
}

async function evict(at: StoreDir, limit: number, held: ReadonlyMap<string, unknown>): Promise<void> {
  const disks = await listDisks(at)
  let bytes = disks.reduce((sum, disk) => sum + disk.bytes, 0)
  for (const { digest, bytes: size } of disks) {
    if (bytes <= limit) return
    if (held.has(digest)) continue
    const use = await openLock(usePath(at, digest))
    try {
      if (!(await tryLock(use, 'exclusive')) || !(await isNamed(use, usePath(at, digest)))) continue
      for (const path of [leftPath(at, digest), diskPath(at, digest), usePath(at, digest)])
        await rm(path, { force: true })
      bytes -= size
    } finally {
      await use.close()
    }
  }
}
