// Reads cacache's files without loading cacache: its import costs more than a whole build that has nothing to do.
// The layout is cacache's index-v5/content-v2; writing goes through cacache (content.ts), a test compares the two.

import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf } from './store-error.ts'

export interface Entry {
  readonly key: string
  /** sha256 of the content, hex. */
  readonly digest: string
}

export type Content =
  | { readonly status: 'whole'; readonly data: Buffer }
  | { readonly status: 'missing' | 'damaged' }

/** The newest entry under a key; damaged lines count as not written, as in cacache. */
export function readEntry(dir: string, key: string): Entry | undefined {
  const text = readText(bucketPath(dir, key))
  if (text === undefined) return undefined
  let latest: Entry | undefined
  for (const line of bucketLines(text)) {
    if (line.entry?.key === key)
      latest = line.entry.digest === undefined ? undefined : { key, digest: line.entry.digest }
  }
  return latest
}

/** Bytes whose sha256 is `digest`, or why not. */
export function readContent(dir: string, digest: string, maxBytes: number = maxContent): Content {
  const path = contentPath(dir, digest)
  try {
    const stat = statSync(path)
    if (!stat.isFile() || stat.size > maxBytes) return { status: 'damaged' }
    const data = readFileSync(path)
    return sha256(data) === digest ? { status: 'whole', data } : { status: 'damaged' }
  } catch (cause) {
    const code = errnoOf(cause)
    return { status: code === 'ENOENT' || code === 'ENOTDIR' ? 'missing' : 'damaged' }
  }
}

export function contentPath(dir: string, digest: string): string {
  return join(dir, 'content-v2', 'sha256', ...segments(digest))
}

export function bucketPath(dir: string, key: string): string {
  return join(dir, 'index-v5', ...segments(sha256(key)))
}

/** Every written line of a bucket; `entry` is absent where the line's own hash does not match. */
export function* bucketLines(
  text: string,
): Generator<{ entry?: { readonly key: string; readonly digest: string | undefined } }> {
  for (const line of text.split('\n')) {
    if (line === '') continue
    const tab = line.indexOf('\t')
    const json = line.slice(tab + 1)
    if (tab < 0 || createHash('sha1').update(json).digest('hex') !== line.slice(0, tab)) yield {}
    else yield toLine(json)
  }
}

export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex')
}

const maxContent = 256 * 1024 * 1024

function toLine(json: string): { entry?: { readonly key: string; readonly digest: string | undefined } } {
  const { key, integrity } = JSON.parse(json) as { key: string; integrity?: string | null }
  const base64 = /^sha256-([A-Za-z0-9+/]{43}=)$/.exec(integrity ?? '')?.[1]
  return { entry: { key, digest: base64 && Buffer.from(base64, 'base64').toString('hex') } }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    const code = errnoOf(cause)
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return undefined
    throw cause
  }
}

function segments(hex: string): readonly string[] {
  return [hex.slice(0, 2), hex.slice(2, 4), hex.slice(4)]
}
