// Nothing below us fsyncs. A name is durable when its file, its folder and the folders made for it are.

import { randomUUID } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { makeFolder } from './make-folder.ts'

export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Syncs a file and every folder above it up to and including `root`. */
export async function syncUpTo(path: string, root: string): Promise<void> {
  const top = resolve(root)
  for (let at = resolve(path); ; at = dirname(at)) {
    await syncPath(at)
    if (at === top || at === dirname(at)) return
  }
}

/** Writes a small file under its final name only when it is whole and on disk; the folder is left to the caller. */
export async function writeDurably(path: string, data: Uint8Array | string, tmp: string): Promise<void> {
  makeFolder(tmp)
  const temporary = join(tmp, randomUUID())
  try {
    const handle = await open(temporary, 'wx')
    try {
      await handle.writeFile(data)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, path)
  } finally {
    await rm(temporary, { force: true })
  }
}
