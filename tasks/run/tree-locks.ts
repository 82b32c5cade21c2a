// Who uses which unpacked tool tree: a shared lock beside it, held until `close` or the process's end. A collection
// takes it exclusively, so that whoever comes meanwhile waits and then finds no tree, and unpacks it again.

import { mkdirSync, statSync } from 'node:fs'
import { rm, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { openLock, tryLock, waitForLock } from '../../cache/locks.ts'

export interface TreeLocks {
  /** From now on nobody removes the tree. */
  hold(cacheDir: string, tree: string): Promise<void>
  close(): Promise<void>
}

export function openTreeLocks(): TreeLocks {
  const held = new Map<string, Promise<FileHandle>>()
  return {
    async hold(cacheDir, tree) {
      const path = lockPath(cacheDir, tree)
      const handle = held.get(path) ?? shareTree(cacheDir, path)
      held.set(path, handle)
      await handle
    },
    async close() {
      const handles = [...held.values()]
      held.clear()
      for (const handle of handles) await (await handle.catch(() => undefined))?.close()
    },
  }
}

/** What `fn` gives while nobody uses the tree; undefined when somebody does. The lock goes with the tree. */
export async function withUnusedTree<T>(
  cacheDir: string,
  tree: string,
  fn: () => Promise<T>,
): Promise<T | undefined> {
  const path = lockPath(cacheDir, tree)
  const handle = await openLock(path)
  try {
    if (!(await tryLock(handle, 'exclusive'))) return undefined
    return await fn()
  } finally {
    // Before it is let go: who waits for it looks whether it is still the one.
    if (
      statSync(treePath(cacheDir, tree), { throwIfNoEntry: false }) === undefined &&
      (await tryLock(handle, 'exclusive'))
    )
      await rm(path, { force: true })
    await handle.close()
  }
}

export const treesFolder = (cacheDir: string): string => join(cacheDir, 'tools')

export const treePath = (cacheDir: string, tree: string): string => join(treesFolder(cacheDir), tree)

const lockPath = (cacheDir: string, tree: string): string => `${treePath(cacheDir, tree)}.lock`

async function shareTree(cacheDir: string, path: string): Promise<FileHandle> {
  mkdirSync(treesFolder(cacheDir), { recursive: true })
  for (;;) {
    const handle = await openLock(path)
    await waitForLock(handle, 'shared')
    const { ino } = await handle.stat()
    if (statSync(path, { throwIfNoEntry: false })?.ino === ino) return handle
    await handle.close()
  }
}
