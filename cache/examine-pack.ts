// A pack under suspicion: whole, or put aside where nobody reads it again.

import { readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { contentPath, sha256 } from './entries.ts'
import { dropFooter, isKept, keepFooters, readOwnFooter } from './footers.ts'
import { parseFooter } from './pack-format.ts'
import type { StoreDir } from './store-dir.ts'
import { errnoOf, scarce } from './store-error.ts'
import { makeFolder } from './make-folder.ts'

/** True: the pack is whole and its footer kept anew. False: it was not and is in quarantine now. */
export async function examinePack(at: StoreDir, pack: string): Promise<boolean> {
  const path = contentPath(at.dir, pack)
  if (await isWhole(path, pack)) {
    const own = readOwnFooter(path)
    const footer = own && parseFooter(own)
    if (own !== undefined && footer !== undefined) {
      if (!isKept(at, pack, own)) await keepFooters(at, new Map([[pack, own]]))
      return true
    }
  }
  await quarantine(at, pack)
  return false
}

async function isWhole(path: string, pack: string): Promise<boolean> {
  try {
    return sha256(await readFile(path)) === pack
  } catch (cause) {
    if (scarce.has(errnoOf(cause) ?? '')) throw cause
    return false
  }
}

export async function quarantine(at: StoreDir, pack: string): Promise<void> {
  await dropFooter(at, pack)
  makeFolder(at.quarantine)
  const path = contentPath(at.dir, pack)
  await rename(path, join(at.quarantine, pack)).catch(async (cause: unknown) => {
    // Somebody else put it aside, or it is no file at all.
    if (errnoOf(cause) !== 'ENOENT') await rm(path, { recursive: true, force: true })
  })
}
