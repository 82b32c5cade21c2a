// What a killed process left: temporary files, and packs that never became part of the store. Run only by whoever is
// alone in the store.

import { closeSync, openSync, readdirSync, readSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { contentPath } from './entries.ts'
import { examinePack } from './examine-pack.ts'
import { listPacks } from './footers.ts'
import { packHead } from './pack-format.ts'
import type { StoreDir } from './store-dir.ts'
import { errnoOf } from './store-error.ts'

export async function tidyStore(at: StoreDir): Promise<void> {
  for (const folder of [at.tmp, at.locks]) {
    for (const name of listFolder(folder)) rmSync(join(folder, name), { recursive: true, force: true })
  }
  for (const name of listFolder(at.disks)) {
    if (name.endsWith('.partial')) rmSync(join(at.disks, name), { force: true })
  }
  const unfinished = listFolder(at.writing)
  // Reading every content file's head takes time, so only after a write that did not end.
  if (unfinished.length > 0) await settlePacks(at)
  for (const name of unfinished) rmSync(join(at.writing, name), { force: true })
}

/** Whole packs are kept: the next put finds their chunks. Torn ones go. */
async function settlePacks(at: StoreDir): Promise<void> {
  const settled = new Set(listPacks(at))
  for (const digest of listContent(at.dir)) {
    if (settled.has(digest) || !startsAsPack(contentPath(at.dir, digest))) continue
    if (!(await examinePack(at, digest)))
      rmSync(join(at.quarantine, digest), { force: true, recursive: true })
  }
}

/** Digests of all content. */
function* listContent(dir: string): Generator<string> {
  const top = join(dir, 'content-v2', 'sha256')
  for (const first of listFolder(top)) {
    for (const second of listFolder(join(top, first))) {
      for (const rest of listFolder(join(top, first, second))) {
        const digest = `${first}${second}${rest}`
        if (/^[0-9a-f]{64}$/.test(digest)) yield digest
      }
    }
  }
}

export function listFolder(path: string): readonly string[] {
  try {
    return readdirSync(path)
  } catch (cause) {
    const code = errnoOf(cause)
    if (code === 'ENOENT' || code === 'ENOTDIR') return []
    throw cause
  }
}

function startsAsPack(path: string): boolean {
  const head = Buffer.alloc(packHead.length)
  let fd: number | undefined
  try {
    fd = openSync(path, 'r')
    readSync(fd, head, 0, head.length, 0)
  } catch {
    // Unreadable content is for verify to report.
    return false
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
  return head.equals(packHead) || head.every((byte) => byte === 0)
}
