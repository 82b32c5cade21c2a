// Materialised disks, by disk digest, read-only: what overlays stand on, so that a parent is not restored for every
// build. A disk is a plain file, or an overlay on another of them. Only a cache: a disk that is not exactly as it was
// left is made again. Least recently used ones make room.

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
  /** Path of the plain disk, which stays until `close`. `make` writes it under the path it is given. */
  materialise(file: ArtifactFile, make: (path: string) => Promise<void>): Promise<string>
  /** The files of the disk, nearest first, if there are any; they stay until `close`. */
  chain(diskDigest: string): Promise<readonly string[] | undefined>
  /** As `chain`, made by `make` as an overlay on `below` if there is none. */
  overlay(
    file: ArtifactFile,
    below: { readonly digest: string; readonly files: readonly string[] },
    make: (path: string) => Promise<void>,
  ): Promise<readonly string[]>
  /** Whether the file could be moved in; it is left alone otherwise. `below`: of which disk it is an overlay. */
  adopt(path: string, file: ArtifactFile, below?: string): Promise<boolean>
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

  const chain = async (digest: string): Promise<readonly string[] | undefined> => {
    await hold(digest)
    if ((await leftAs(at, digest, 'raw')) !== undefined) return [diskPath(at, digest, 'raw')]
    const overlay = await leftAs(at, digest, 'qcow2')
    const rest = overlay?.below === undefined ? undefined : await chain(overlay.below)
    return rest && [diskPath(at, digest, 'qcow2'), ...rest]
  }

  return {
    materialise: (file, make) =>
      exclusively(file.diskDigest, async () => {
        makeFolder(at.disks)
        const path = diskPath(at, file.diskDigest, 'raw')
        await hold(file.diskDigest)
        if ((await leftAs(at, file.diskDigest, 'raw')) !== undefined) return path
        await rm(path, { force: true })
        try {
          await make(path)
        } catch (cause) {
          if (errnoOf(cause) !== 'ENOSPC') throw cause
          await evict(at, 0, held)
          await make(path)
        }
        await leave(at, file.diskDigest, { kind: 'raw' })
        await evict(at, options.limit, held)
        return path
      }),
    chain: (digest) =>
      exclusively(digest, () => {
        makeFolder(at.disks)
        return chain(digest)
      }),
    overlay: (file, below, make) =>
      exclusively(file.diskDigest, async () => {
        const found = await chain(file.diskDigest)
        if (found !== undefined) return found
        const path = diskPath(at, file.diskDigest, 'qcow2')
        await rm(path, { force: true })
        await make(path)
        await leave(at, file.diskDigest, { kind: 'qcow2', below: below.digest })
        await evict(at, options.limit, held)
        return [path, ...below.files]
      }),
    adopt: (path, file, below) =>
      exclusively(file.diskDigest, async () => {
        makeFolder(at.disks)
        if ((await chain(file.diskDigest)) !== undefined) {
          await rm(path)
          return true
        }
        const kind = below === undefined ? 'raw' : 'qcow2'
        try {
          await rename(path, diskPath(at, file.diskDigest, kind))
        } catch (cause) {
          // On another file system: moving would be copying.
          if (errnoOf(cause) === 'EXDEV') return false
          throw cause
        }
        await leave(at, file.diskDigest, { kind, ...(below === undefined ? {} : { below }) })
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

type Kind = 'raw' | 'qcow2'

interface Left {
  readonly boot: string
  readonly ino: string
  readonly size: string
  readonly mtimeNs: string
  /** Disk digest of what an overlay is on. */
  readonly below?: string
}

const diskPath = (at: StoreDir, digest: string, kind: Kind): string => join(at.disks, `${digest}.${kind}`)
const leftPath = (at: StoreDir, digest: string, kind: Kind): string =>
  `${join(at.disks, digest)}${kind === 'raw' ? '' : '.qcow2'}.json`
const usePath = (at: StoreDir, digest: string): string => join(at.disks, `${digest}.use`)

/** A disk's bytes were verified when it was written; since then nobody may have touched it, nor the power gone. */
async function leftAs(at: StoreDir, digest: string, kind: Kind): Promise<Left | undefined> {
  try {
    const left = JSON.parse(await readFile(leftPath(at, digest, kind), 'utf8')) as Left
    const now = toLeft(await stampOf(diskPath(at, digest, kind)))
    const isSame =
      left.boot === now.boot && left.ino === now.ino && left.mtimeNs === now.mtimeNs && left.size === now.size
    return isSame ? left : undefined
  } catch {
    // Not there or not readable: made again.
    return undefined
  }
}

async function leave(
  at: StoreDir,
  digest: string,
  { kind, below }: { readonly kind: Kind; readonly below?: string },
): Promise<void> {
  const path = diskPath(at, digest, kind)
  await chmod(path, 0o444)
  const left = toLeft(await stampOf(path))
  await writeFile(leftPath(at, digest, kind), JSON.stringify(below === undefined ? left : { ...left, below }))
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

const kinds: readonly Kind[] = ['raw', 'qcow2']

interface Disk {
  readonly digest: string
  readonly bytes: number
  readonly used: number
}

async function listDisks(at: StoreDir): Promise<readonly Disk[]> {
  const found = listFolder(at.disks).flatMap(
    (name) => /^([0-9a-f]{64})\.(?:raw|qcow2)$/.exec(name)?.[1] ?? [],
  )
  const disks = await Promise.all(
    [...new Set(found)].map(async (digest): Promise<Disk> => {
      const stats = await Promise.all(
        kinds.map((kind) => stat(diskPath(at, digest, kind)).catch(() => undefined)),
      )
      const use = await stat(usePath(at, digest)).catch(() => undefined)
      const bytes = stats.reduce((sum, disk) => sum + (disk?.blocks ?? 0) * 512, 0)
      return { digest, bytes, used: use?.mtimeMs ?? 0 }
    }),
  )
  return disks.toSorted((a, b) => a.used - b.used)
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
      const files = kinds.flatMap((kind) => [leftPath(at, digest, kind), diskPath(at, digest, kind)])
      for (const path of [...files, usePath(at, digest)]) await rm(path, { force: true })
      bytes -= size
    } finally {
      await use.close()
    }
  }
}
