// Folders builds work in, on the cache's filesystem so that a finished disk moves into it by rename.

import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { openLock, tryLock } from '../../cache/locks.ts'

export interface Workspace {
  readonly path: string
  remove(): Promise<void>
}

/** A new, private, empty folder; it belongs to this process for as long as that lives. */
export async function openWorkspace(cacheDir: string): Promise<Workspace> {
  const parent = join(cacheDir, 'work')
  mkdirSync(parent, { recursive: true, mode: 0o700 })
  const path = mkdtempSync(join(parent, 'w-'))
  const owner = await openLock(ownerPath(path))
  await tryLock(owner, 'exclusive')
  return {
    path,
    remove: async () => {
      await rm(path, { recursive: true, force: true })
      rmSync(ownerPath(path), { force: true })
      await owner.close()
    },
  }
}

/** Removes what processes left that were killed. Their mounts went with their namespaces, so these are plain files. */
export async function removeAbandoned(cacheDir: string): Promise<void> {
  const parent = join(cacheDir, 'work')
  for (const entry of list(parent).filter((name) => !name.endsWith('.lock'))) {
    const path = join(parent, entry)
    const owner = await openLock(ownerPath(path))
    if (await tryLock(owner, 'exclusive')) {
      await rm(path, { recursive: true, force: true })
      rmSync(ownerPath(path), { force: true })
    }
    await owner.close()
  }
}

const ownerPath = (path: string): string => `${path}.lock`

function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
