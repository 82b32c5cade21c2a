// Small values by key. The key stands inside the content, so no two keys share one and the old content can go when a
// value is replaced; and a value found under another's name is noticed.

import { removeContent, removeEntry, writeContent } from './content.ts'
import { readContent, readEntry, sha256 } from './entries.ts'

export function readValue(dir: string, key: string): Buffer | undefined {
  // Twice: between reading the entry and its content the value may have been replaced.
  for (let attempt = 0; attempt < 2; attempt++) {
    const entry = readEntry(dir, valueKey(key))
    if (entry === undefined) return undefined
    const content = readContent(dir, entry.digest)
    if (content.status === 'whole') return withoutKey(key, content.data)
  }
  return undefined
}

export async function writeValue(dir: string, key: string, value: Buffer | string): Promise<void> {
  const before = readEntry(dir, valueKey(key))
  const data = Buffer.concat([headOf(key), typeof value === 'string' ? Buffer.from(value) : value])
  const digest = sha256(data)
  await writeContent(dir, valueKey(key), { data, digest })
  if (before !== undefined && before.digest !== digest) await removeContent(dir, before.digest)
}

/** Whether there was one. */
export async function removeValue(dir: string, key: string): Promise<boolean> {
  const before = readEntry(dir, valueKey(key))
  if (before === undefined) return false
  await removeEntry(dir, valueKey(key))
  await removeContent(dir, before.digest)
  return true
}

const valueKey = (key: string): string => `value:${key}`

const headOf = (key: string): Buffer => Buffer.from(`${JSON.stringify(key)}\n`)

function withoutKey(key: string, data: Buffer): Buffer | undefined {
  const head = headOf(key)
  return data.subarray(0, head.length).equals(head) ? data.subarray(head.length) : undefined
}
