import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, closeSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import { expect, onTestFinished, test } from 'vitest'
import { startCellThreads } from '../../cache/cell-threads.ts'
import { contentPath } from '../../cache/entries.ts'
import type { CellPlan } from '../../cache/make-cells.ts'
import { openStore, type LocalStore } from '../../cache/open-store.ts'
import type { ArtifactFile } from '../../cache/store.ts'
import { tempFolder } from '../rig/temp-folder.ts'

const mib = 1024 * 1024
/** Enough for all threads of two processors. */
const enough = 70 * mib

/** Half text, half not; the same bytes for the same seed, holes between them. */
function diskBytes(seed: number, size: number = enough): Buffer {
  const bytes = Buffer.alloc(size + 2 * mib + 4096)
  for (let at = 0; at < size; at += 128 * 1024) {
    const block = createHash('shake256', { outputLength: 64 * 1024 })
      .update(`${seed} ${at}`)
      .digest()
    block.copy(bytes, at + 4096)
    Buffer.from(block.toString('hex')).copy(bytes, at + 72 * 1024, 0, 40 * 1024)
  }
  bytes.write('end', bytes.length - 3)
  return bytes
}

async function makeStore(): Promise<{ readonly store: LocalStore; readonly folder: string }> {
  const folder = tempFolder()
  const store = await openStore({ dir: join(folder, 'cache'), now: () => 0 })
  onTestFinished(() => store.close())
  return { store, folder }
}

async function put(store: LocalStore, path: string, bytes: Buffer): Promise<ArtifactFile> {
  writeFileSync(path, bytes)
  return (await store.put({ 'disk.raw': path }))['disk.raw']!
}

/** Threads that begin while the test runs. */
function countThreads(): { readonly started: readonly Worker[] } {
  const started: Worker[] = []
  const count = (worker: Worker): void => void started.push(worker)
  process.on('worker', count)
  onTestFinished(() => void process.off('worker', count))
  return { started }
}

const others = Math.min(availableParallelism(), 3) - 1

test('a large file comes out of several threads as it went in, holes and all', async () => {
  const { store, folder } = await makeStore()
  const bytes = Buffer.concat([diskBytes(1), Buffer.from('an odd end')])
  const file = await put(store, join(folder, 'disk'), bytes)
  const { started } = countThreads()
  await store.restore(file, join(folder, 'out'))
  expect(started).toHaveLength(others)
  expect(readFileSync(join(folder, 'out')).equals(bytes)).toBe(true)
  expect(statSync(join(folder, 'out')).blocks * 512).toBeLessThan(enough)
})

test('a large disk is made on its parent’s by several threads, and qemu reads it so', async () => {
  const { store, folder } = await makeStore()
  const below = diskBytes(1)
  const parent = await put(store, join(folder, 'parent'), below)
  const bytes = diskBytes(2)
  // Alike in the middle, freed before the end.
  below.copy(bytes, 30 * mib, 30 * mib, 32 * mib)
  bytes.fill(0, 66 * mib, 69 * mib)
  const child = await put(store, join(folder, 'child'), bytes)
  await store.materialiseBase(parent)
  const { started } = countThreads()
  const files = await store.materialiseBase(child, parent)
  expect(started).toHaveLength(others)
  expect(files).toHaveLength(2)
  execFileSync('qemu-img', ['check', '-q', files[0]!])
  execFileSync('qemu-img', ['convert', '-O', 'raw', files[0]!, join(folder, 'flat')])
  expect(readFileSync(join(folder, 'flat')).equals(bytes)).toBe(true)
})

test('a disk with a chunk a thread finds damaged is refused, and comes out when it was stored again', async () => {
  const { store, folder } = await makeStore()
  const bytes = diskBytes(3)
  const file = await put(store, join(folder, 'disk'), bytes)
  const path = contentPath(join(folder, 'cache'), file.packs[0]!)
  const pack = readFileSync(path)
  pack[pack.length >> 1]! ^= 1
  chmodSync(path, 0o644)
  writeFileSync(path, pack)
  await expect(store.restore(file, join(folder, 'out'))).rejects.toMatchObject({ code: 'CACHE_DAMAGED' })
  const again = await put(store, join(folder, 'disk'), bytes)
  await store.restore(again, join(folder, 'out'))
  expect(readFileSync(join(folder, 'out')).equals(bytes)).toBe(true)
})

test('a thread’s error of writing is told as it is, and all threads end', async () => {
  const folder = tempFolder({ out: '' })
  const out = openSync(join(folder, 'out'), 'r')
  onTestFinished(() => closeSync(out))
  const base = join(folder, 'base')
  writeFileSync(base, Buffer.alloc(80 * mib, 'x'))
  const { started } = countThreads()
  const threads = startCellThreads({ out, size: 80 * mib, dir: folder, base: [base] }, enough)
  const plans = Array.from({ length: 80 }, (_, number): CellPlan => ({
    number,
    pieces: [],
    overlay: { cleared: [], clusters: [{ number: number * 16, to: 0 }] },
  }))
  const refused = { code: 'EBADF', message: 'EBADF: bad file descriptor, write' }
  await expect(threads.make(plans, () => undefined)).rejects.toMatchObject(refused)
  const running = started.map(({ threadId }) => threadId)
  await threads.end()
  expect(running).toHaveLength(others)
  expect(running).not.toContain(-1)
  expect(started.map(({ threadId }) => threadId)).toEqual(running.map(() => -1))
})

test('a thread that cannot begin is told, not waited for', async () => {
  const folder = tempFolder()
  const base = [join(folder, 'nowhere')]
  const threads = startCellThreads({ out: 0, size: enough, dir: folder, base }, enough)
  const plans = Array.from({ length: 70 }, (_, number): CellPlan => ({ number, pieces: [] }))
  await expect(threads.make(plans, () => undefined)).rejects.toThrow(/no such file or directory/)
  await threads.end()
})
