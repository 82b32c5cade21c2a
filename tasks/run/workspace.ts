// Folders builds and machines work in, on the cache's filesystem so that a finished disk moves into it by rename.

import { randomUUID } from 'node:crypto'
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { openLock, tryLock } from '../../cache/locks.ts'
import { removeTree } from './remove-tree.ts'

export interface Workspace {
  readonly path: string
  remove(): Promise<void>
}

/** A new, private, empty folder; it belongs to this process for as long as that lives. */
export async function openWorkspace(cacheDir: string): Promise<Workspace> {
  const parent = join(cacheDir, 'work')
  mkdirSync(parent, { recursive: true, mode: 0o700 })
  for (;;) {
    const path = join(parent, `w-${randomUUID()}`)
    const owner = await openLock(ownerPath(path))
    // Locked before there is a folder to take for an abandoned one.
    if ((await tryLock(owner, 'exclusive')) && (await isStill(owner, ownerPath(path)))) {
      mkdirSync(path, { mode: 0o700 })
      return { path, remove: () => removeOwned(path, owner) }
    }
    await owner.close()
  }
}

/**
 * Removes what processes left that were killed. Their mounts went with their namespaces, so these are plain files; only
 * a machine in a libvirt that others use, too, may still run.
 */
export async function removeAbandoned(cacheDir: string): Promise<void> {
  const parent = join(cacheDir, 'work')
  for (const name of new Set(list(parent).map((entry) => entry.replace(/\.lock$/, '')))) {
    const path = join(parent, name)
    const owner = await openLock(ownerPath(path))
    if (await tryLock(owner, 'exclusive')) {
      await (await import('../backends/libvirt-start.ts')).endAbandoned(path)
      await removeOwned(path, owner)
    } else await owner.close()
  }
}

const ownerPath = (path: string): string => `${path}.lock`

/** Whoever clears up may have removed the file between our opening and our locking it. */
async function isStill(handle: FileHandle, path: string): Promise<boolean> {
  const { ino } = await handle.stat()
  return statSync(path, { throwIfNoEntry: false })?.ino === ino
}

async function removeOwned(path: string, owner: FileHandle): Promise<void> {
  await removeTree(path, 'which a build left that was killed')
  rmSync(ownerPath(path), { force: true })
  await owner.close()
}

function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
