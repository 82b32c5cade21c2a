// Everything that writes through cacache. It does not fsync, does not heal damaged content and may report a failed
// move as EEXIST or not at all; so content is checked before, synced after, and found under its name or refused.

import type cacache from 'cacache'
import { dirname, join } from 'node:path'
import { rm, stat } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import { bucketPath, contentPath, readContent, type Entry } from './entries.ts'
import { syncUpTo } from './durable.ts'
import { makeFolder } from './make-folder.ts'

export interface Sealed {
  readonly data: Buffer
  /** Their sha256. */
  readonly digest: string
}

/** Stores bytes as content and as the newest entry of `key`; both are on disk when it returns. */
export async function putContent(dir: string, key: string, content: Sealed): Promise<void> {
  await writeContent(dir, key, content)
  await syncUpTo(contentPath(dir, content.digest), dir)
  await syncUpTo(bucketPath(dir, key), dir)
}

/** As `putContent`, without waiting for the disk: for what may be forgotten after a power cut. */
export async function writeContent(dir: string, key: string, { data, digest }: Sealed): Promise<void> {
  const { put } = await loadCacache()
  const path = contentPath(dir, digest)
  if (readContent(dir, digest).status !== 'whole') await rm(path, { recursive: true, force: true })
  // cacache makes them too, but takes no space for a folder as no reason to fail.
  for (const folder of [join(dir, 'tmp'), dirname(path), dirname(bucketPath(dir, key))]) makeFolder(folder)
  await put(dir, key, data, { algorithms: ['sha256'], memoize: false })
  const { size } = await stat(path)
  if (size !== data.length) throw new Error(`${path} has ${size} bytes instead of ${data.length}`)
  await compactBucket(dir, key)
}

/** Makes `digest` the newest entry of `key`; the content is there already. */
export async function putEntry(dir: string, key: string, digest: string): Promise<void> {
  const { index } = await loadCacache()
  makeFolder(dirname(bucketPath(dir, key)))
  // Not a promise of its types, but what it returns when a folder vanished under it.
  const written = (await index.insert(dir, key, integrityOf(digest))) as unknown
  if (written === undefined) throw new Error(`ENOENT: the folder of ${bucketPath(dir, key)} vanished`)
  await compactBucket(dir, key)
  await syncUpTo(bucketPath(dir, key), dir)
}

export async function removeEntry(dir: string, key: string): Promise<void> {
  const { rm: remove } = await loadCacache()
  await remove.entry(dir, key)
}

export async function removeContent(dir: string, digest: string): Promise<void> {
  await rm(contentPath(dir, digest), { recursive: true, force: true })
}

/** Newest entry of every key; reads every bucket, so only for verify and statistics. */
export async function* listEntries(dir: string): AsyncGenerator<Entry> {
  const { ls } = await loadCacache()
  for await (const found of ls.stream(dir)) {
    const { key, integrity } = found as unknown as { key: string; integrity: string }
    yield { key, digest: Buffer.from(integrity.replace('sha256-', ''), 'base64').toString('hex') }
  }
}

async function loadCacache(): Promise<typeof cacache> {
  const loaded = await import('cacache')
  return loaded.default
}

const integrityOf = (digest: string): string => `sha256-${Buffer.from(digest, 'hex').toString('base64')}`

/** Buckets only grow, and every read parses them whole. */
const bucketLimit = 32 * 1024

async function compactBucket(dir: string, key: string): Promise<void> {
  if (readFileSync(bucketPath(dir, key)).length <= bucketLimit) return
  const { index } = await loadCacache()
  await index.compact(dir, key, (older, newer) => older.key === newer.key)
}
