import { appendFile, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { listEntries, putContent, putEntry, removeEntry, writeContent } from '../../cache/content.ts'
import { bucketPath, contentPath, readContent, readEntry, sha256, type Entry } from '../../cache/entries.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'img-entries-'))
})
afterEach(() => rm(dir, { recursive: true }))

const put = async (key: string, text: string): Promise<string> => {
  const data = Buffer.from(text)
  await putContent(dir, key, { data, digest: sha256(data) })
  return sha256(data)
}

test('what cacache wrote is read without cacache', async () => {
  for (const key of ['record:1', 'latest:base:trixie', 'value:ünï\n\t"', 'x'.repeat(5000)]) {
    await put(key, 'old')
    const digest = await put(key, `content of ${key}`)
    expect(readEntry(dir, key)).toEqual({ key, digest })
    expect(readContent(dir, digest)).toEqual({ status: 'whole', data: Buffer.from(`content of ${key}`) })
  }
})

test('our reading and cacache’s listing agree, also after removal and re-pointing', async () => {
  const keys = Array.from({ length: 20 }, (_, number) => `value:${number}`)
  for (const key of keys) await put(key, key)
  await removeEntry(dir, 'value:3')
  await putEntry(dir, 'value:4', sha256('value:5'))
  const listed: Entry[] = []
  for await (const entry of listEntries(dir)) listed.push(entry)
  const own = keys.flatMap((key) => readEntry(dir, key) ?? [])
  expect(own.toSorted(byKey)).toEqual(listed.toSorted(byKey))
  expect(readEntry(dir, 'value:3')).toBeUndefined()
  expect(readEntry(dir, 'value:4')?.digest).toBe(sha256('value:5'))
})

test('a torn last line leaves the entry before it', async () => {
  const digest = await put('record:1', 'first')
  await put('record:1', 'second')
  const path = bucketPath(dir, 'record:1')
  await truncate(path, (await readFile(path)).length - 5)
  expect(readEntry(dir, 'record:1')).toEqual({ key: 'record:1', digest })
  await appendFile(path, '\nnonsense')
  expect(readEntry(dir, 'record:1')).toEqual({ key: 'record:1', digest })
})

test('nothing, a damaged and a missing content are told apart', async () => {
  expect(readEntry(dir, 'record:none')).toBeUndefined()
  const digest = await put('record:1', 'content')
  await writeFile(contentPath(dir, digest), 'cOntent')
  expect(readContent(dir, digest)).toEqual({ status: 'damaged' })
  expect(readContent(dir, sha256('other'))).toEqual({ status: 'missing' })
})

test('putting damaged content again heals it', async () => {
  const digest = await put('record:1', 'content')
  await writeFile(contentPath(dir, digest), 'cOntent')
  await put('record:1', 'content')
  expect(readContent(dir, digest)).toMatchObject({ status: 'whole' })
})

test('an entry written often stays small', async () => {
  const data = Buffer.from('content')
  for (let time = 0; time < 300; time++)
    await writeContent(dir, 'value:often', { data, digest: sha256(data) })
  expect((await readFile(bucketPath(dir, 'value:often'))).length).toBeLessThan(33_000)
  expect(readEntry(dir, 'value:often')).toEqual({ key: 'value:often', digest: sha256(data) })
})

function byKey(a: Entry, b: Entry): number {
  return a.key < b.key ? -1 : 1
}
