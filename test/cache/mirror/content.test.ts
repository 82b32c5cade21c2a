import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openContent, type Content } from '../../../cache/mirror/content.ts'
import { makeFolder, sha256 } from '../../rig/fake-archive.ts'

let folder: ReturnType<typeof makeFolder>
let content: Content
beforeEach(() => {
  folder = makeFolder()
  content = openContent(folder.path)
})
afterEach(() => folder.remove())

const bytes = Buffer.from('some bytes')
const wanted = { sha256: sha256(bytes), size: bytes.length }
const parts = (): readonly string[] => readdirSync(join(folder.path, 'img-tmp'))
async function* broken(): AsyncGenerator<Buffer> {
  yield await Promise.resolve(Buffer.from('some '))
  throw new Error('cut')
}
async function* streamOf(...chunks: readonly string[]): AsyncGenerator<Buffer> {
  for (const chunk of chunks) yield await Promise.resolve(Buffer.from(chunk))
}

test('a stream that is what was wanted is kept under its digest, where cacache would keep it', async () => {
  expect(await content.find(wanted.sha256)).toBe(undefined)
  await content.put(streamOf('some ', 'bytes'), wanted)
  const { sha256: hex } = wanted
  const path = join(folder.path, 'content-v2/sha256', hex.slice(0, 2), hex.slice(2, 4), hex.slice(4))
  expect(await content.find(hex)).toBe(path)
  expect(await content.read(hex)).toEqual(bytes)
  expect(await openContent(folder.path).read(hex)).toEqual(bytes)
  expect(parts()).toEqual([])
})

test.each([
  ['shorter', ['some byte'], 'ends after 9 of 10 bytes'],
  ['longer', ['some bytes', '!'], 'longer than the 10 bytes it should have'],
  ['other', ['some BYTES'], `has sha256 ${sha256('some BYTES')} instead of ${wanted.sha256}`],
  ['empty', [], 'ends after 0 of 10 bytes'],
])('a %s stream is not kept', async (_, chunks, message) => {
  await expect(content.put(streamOf(...chunks), wanted)).rejects.toMatchObject({
    name: 'WrongContent',
    message,
  })
  expect(await content.find(wanted.sha256)).toBe(undefined)
  expect(parts()).toEqual([])
})

test('a stream that breaks is not kept and its error comes through', async () => {
  await expect(content.put(broken(), wanted)).rejects.toThrow('cut')
  expect(parts()).toEqual([])
})

test('an endless stream is left as soon as it is too long', async () => {
  let given = 0
  async function* endless(): AsyncGenerator<Buffer> {
    for (;;) {
      given += 1
      yield await Promise.resolve(Buffer.alloc(6))
    }
  }
  await expect(content.put(endless(), wanted)).rejects.toThrow('longer than the 10 bytes it should have')
  expect(given).toBe(2)
})

test('a damaged file is removed and was never there', async () => {
  await content.put(streamOf('some bytes'), wanted)
  const path = (await content.find(wanted.sha256)) ?? ''
  writeFileSync(path, 'SOME bytes')
  const next = openContent(folder.path)
  expect(await next.read(wanted.sha256)).toBe(undefined)
  expect(existsSync(path)).toBe(false)
})

test('a file that vanishes is noticed, although it was verified', async () => {
  await content.put(streamOf('some bytes'), wanted)
  const path = (await content.find(wanted.sha256)) ?? ''
  rmSync(path)
  expect(await content.find(wanted.sha256)).toBe(undefined)
})

test('empty content', async () => {
  const empty = { sha256: sha256(''), size: 0 }
  await content.put(streamOf(), empty)
  expect(await content.read(empty.sha256)).toEqual(Buffer.alloc(0))
})

test('keep returns the digest and writes once', async () => {
  expect(await content.keep(bytes)).toBe(wanted.sha256)
  expect(await content.keep(bytes)).toBe(wanted.sha256)
  expect(await content.read(wanted.sha256)).toEqual(bytes)
})

test('the unfinished file of a process that is gone is removed, that of a living one is not', async () => {
  let seen: readonly string[] = []
  async function* looking(): AsyncGenerator<Buffer> {
    yield await Promise.resolve(Buffer.from('some '))
    writeFileSync(join(folder.path, 'img-tmp/999999999-dead-1'), 'left')
    openContent(folder.path)
    seen = parts()
    yield Buffer.from('bytes')
  }
  await content.put(looking(), wanted)
  expect(seen).toEqual([expect.stringMatching(new RegExp(`^${process.pid}-`))])
})

test('two that write the same at once both succeed', async () => {
  const other = openContent(folder.path)
  await Promise.all([content, other].map((one) => one.put(streamOf('some ', 'bytes'), wanted)))
  expect(readFileSync((await content.find(wanted.sha256)) ?? '')).toEqual(bytes)
})

test('a folder that cannot be written to', () => {
  mkdirSync(join(folder.path, 'x'))
  writeFileSync(join(folder.path, 'x/img-tmp'), '')
  expect(() => openContent(join(folder.path, 'x'))).toThrow(
    expect.objectContaining({
      code: 'CACHE_UNWRITABLE',
      message: `cannot write into the package cache ${folder.path}/x`,
      fields: expect.objectContaining({ hint: 'set IMG_CACHE_DIR to a folder you may write to' }),
    }),
  )
})
