// The folder of the store. Its format is a number in a file: a newer one is refused, never repaired.

import { randomUUID } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { ImgError } from '../tasks/errors.ts'
import { makeFolder } from './make-folder.ts'
import { errnoOf, toStoreError } from './store-error.ts'

const storeFormat = 1

export interface StoreDir {
  readonly dir: string
  /** Shared lock of whoever uses the store. */
  readonly lock: string
  /** One lock file per key; never removed while anybody is in the store. */
  readonly locks: string
  /** cacache's name for it, and ours. */
  readonly tmp: string
  /** A file here is a write that has not ended: whoever finds one alone looks for leftovers. */
  readonly writing: string
  /** Footers of complete packs by pack id; a pack without one is not part of the store. */
  readonly footers: string
  readonly quarantine: string
  readonly disks: string
  /** Shared lock from a put until its record is saved; exclusive while a collection removes files. */
  readonly sweep: string
  /** One locked file per process that is in the store. */
  readonly leases: string
  /** What a collection will remove when those who may be reading it have gone. */
  readonly condemned: string
}

export function openStoreDir(dir: string): StoreDir {
  try {
    const found = readFormat(dir) ?? createFormat(dir)
    checkFormat(dir, found)
  } catch (cause) {
    throw toStoreError(cause, 'opening the cache', dir)
  }
  const at = (name: string): string => join(dir, name)
  return {
    dir,
    lock: at('lock'),
    locks: at('locks'),
    tmp: at('tmp'),
    writing: at('writing'),
    footers: at('footers'),
    quarantine: at('quarantine'),
    disks: at('disks'),
    sweep: at('sweep.lock'),
    leases: at('leases'),
    condemned: at('condemned.json'),
  }
}

function readFormat(dir: string): string | undefined {
  try {
    return readFileSync(join(dir, 'format'), 'utf8')
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return undefined
    throw cause
  }
}

function createFormat(dir: string): string {
  const above = nearestFolder(dir)
  makeFolder(dir)
  const text = `img store ${storeFormat}\n`
  const temporary = join(dir, `format.${randomUUID()}`)
  // On the disk before its name is: an empty one after a power cut would have the whole store refused.
  writeFileSync(temporary, text, { flag: 'wx', flush: true })
  try {
    // A link appears whole and only once, whoever else is creating the store.
    linkSync(temporary, join(dir, 'format'))
    for (let at = dir; ; at = dirname(at)) {
      syncFolder(at)
      if (at === above || at === dirname(at)) return text
    }
  } catch (cause) {
    if (errnoOf(cause) !== 'EEXIST') throw cause
    return readFileSync(join(dir, 'format'), 'utf8')
  } finally {
    rmSync(temporary, { force: true })
  }
}

function nearestFolder(path: string): string {
  return existsSync(path) || path === dirname(path) ? path : nearestFolder(dirname(path))
}

function syncFolder(path: string): void {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

function checkFormat(dir: string, text: string): void {
  const found = /^img store (\d{1,9})\n$/.exec(text)?.[1]
  if (found === undefined) {
    throw new ImgError('CACHE_DAMAGED', `${join(dir, 'format')} does not name a store format`, {
      path: join(dir, 'format'),
      wanted: `img store ${storeFormat}`,
      found: text.slice(0, 80),
      hint: `move ${dir} away, or set IMG_CACHE_DIR to another folder`,
    })
  }
  if (Number(found) !== storeFormat) {
    throw new ImgError(
      'CACHE_NEWER',
      `the cache in ${dir} has format ${found}; this img reads ${storeFormat}`,
      {
        path: dir,
        wanted: String(storeFormat),
        found,
        hint: 'update imgfile, or set IMG_CACHE_DIR to another folder',
      },
    )
  }
}
