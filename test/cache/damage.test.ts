// Whatever a file of the store turned into: it is found before use, said by verify, and healed by building again.

import { createHash, randomBytes } from 'node:crypto'
import { chmod, mkdtemp, readFile, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { bucketPath, contentPath, readEntry } from '../../cache/entries.ts'
import { openStore, type LocalStore } from '../../cache/open-store.ts'
import type { Artifact, LayerRecord } from '../../cache/store.ts'
import type { ImgError } from '../../tasks/errors.ts'
import { exampleRecord } from '../rig/example-record.ts'

let folder: string
let dir: string
let store: LocalStore
let disk: string
let data: Buffer
let record: LayerRecord

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'img-damage-'))
  dir = join(folder, 'cache')
  disk = join(folder, 'disk')
  store = await openStore({ dir, now: () => 0 })
  // Half of it compresses, half does not.
  data = Buffer.concat([
    randomBytes(200_000),
    Buffer.alloc(200_000, 'text that compresses well, '),
    randomBytes(3),
  ])
  await writeFile(disk, data)
  record = exampleRecord({ artifact: await store.put({ 'disk.raw': disk }) })
  await store.save(record)
  await store.writeValue('catalog:1', 'a catalog')
})
afterEach(async () => {
  await store.close()
  await rm(folder, { recursive: true, force: true })
})

const fileOf = (artifact: Artifact = record.artifact): Artifact[string] => artifact['disk.raw']!
const packPath = (): string => contentPath(dir, fileOf().packs[0]!)
const footerPath = (): string => join(dir, 'footers', `${fileOf().packs[0]}.idx`)

/** Every kind of file there is, and how verify calls it. */
const files: readonly (readonly [string, () => string])[] = [
  ['pack', packPath],
  ['footer', footerPath],
  ['map', () => contentPath(dir, fileOf().mapDigest)],
  ['record', () => contentPath(dir, readEntry(dir, `record:${record.key}`)!.digest)],
  ['index line of the record', () => bucketPath(dir, `record:${record.key}`)],
  ['value', () => contentPath(dir, readEntry(dir, 'value:catalog:1')!.digest)],
]

const damages: readonly (readonly [string, (path: string) => Promise<void>])[] = [
  ['one bit flipped in the middle', (path) => flip(path, 0.5)],
  ['one bit flipped near the start', (path) => flip(path, 0.02)],
  ['its last byte gone', async (path) => truncate(path, (await stat(path)).size - 1)],
  ['half of it gone', async (path) => truncate(path, Math.floor((await stat(path)).size / 2))],
  ['nothing left', (path) => truncate(path, 0)],
  ['zeros for its end', async (path) => zeroEnd(path)],
  ['no name any more', (path) => rm(path)],
]

async function zeroEnd(path: string): Promise<void> {
  const bytes = await readFile(path)
  await writeFile(path, bytes.fill(0, Math.floor(bytes.length * 0.7)))
}

async function flip(path: string, where: number): Promise<void> {
  const bytes = await readFile(path)
  bytes[Math.floor(bytes.length * where)]! ^= 4
  await writeFile(path, bytes)
}

/** What whoever looks the record up gets. */
async function useRecord(): Promise<string> {
  const found = await store.find(record.key)
  if (!found.hit) return found.reason === '' ? 'a miss without a reason' : 'a miss'
  const out = join(folder, 'used')
  const error = await store.restore(found.record.artifact['disk.raw']!, out).catch((cause: unknown) => cause)
  if (error === undefined) return (await readFile(out)).equals(data) ? 'the right bytes' : 'wrong bytes'
  if ((error as ImgError).code !== 'CACHE_DAMAGED') return `another error: ${(error as Error).message}`
  if ((await readdir(folder)).some((name) => name.includes('used'))) return 'refused, with something left'
  return (await store.find(record.key)).hit ? 'refused, still a hit' : 'refused, then a miss'
}

describe.each(files)('a %s', (kind, pathOf) => {
  test.each(damages)('with %s never gives wrong bytes, is reported, and heals', async (how, damage) => {
    await damage(pathOf())
    await store.close()
    store = await openStore({ dir, now: () => 0 })

    // An entry that lost all its lines is as if it was never written; nothing is left to report.
    const forgotten = kind.startsWith('index') && (how === 'no name any more' || how === 'nothing left')
    const problems = await store.verify({ readData: true })
    expect(problems.length > 0).toBe(!forgotten)

    expect([undefined, 'a catalog']).toContain((await store.readValue('catalog:1'))?.toString())
    expect(['the right bytes', 'a miss', 'refused, then a miss']).toContain(await useRecord())

    const out = join(folder, 'out')
    const again = await store.put({ 'disk.raw': disk })
    await store.save({ ...record, artifact: again })
    await store.writeValue('catalog:1', 'a catalog')
    await store.restore(fileOf(again), out)
    expect((await readFile(out)).equals(data)).toBe(true)
    expect((await store.find(record.key)).hit).toBe(true)
    expect((await store.readValue('catalog:1'))?.toString()).toBe('a catalog')
    // A damaged line stays in the index: harmless, and only compaction takes it away.
    expect((await store.verify({ readData: true })).filter((problem) => problem.kind !== 'index')).toEqual([])
  })
})

test('what a damaged pack says', async () => {
  await flip(packPath(), 0.4)
  const [pack] = fileOf().packs
  expect(await store.verify({ readData: false })).toEqual([])
  expect(await store.verify({ readData: true })).toEqual([
    { kind: 'pack', name: pack, problem: 'has damaged bytes' },
    expect.objectContaining({ kind: 'map', name: fileOf().mapDigest }),
  ])
  const out = join(folder, 'out')
  const error = (await store.restore(fileOf(), out).catch((cause: unknown) => cause)) as ImgError
  expect(error.code).toBe('CACHE_DAMAGED')
  expect(error.message).toMatch(new RegExp(`^cannot restore ${out}: chunk [0-9a-f]{64} was in pack ${pack}$`))
  expect(error.fields.hint).toBe('run the command again: what is damaged was put aside and is built anew')
  expect(await store.find(record.key)).toEqual({ hit: false, reason: 'the map of disk.raw is missing' })
  expect(await readdir(join(dir, 'quarantine'))).toHaveLength(2)
})

test.each(['first', 'second'])(
  'a chunk that is in two packs is taken from the whole one, not the %s',
  async (broken) => {
    // Without its footer the first pack is not in the store, so all of it is stored again beside something else.
    await rm(join(dir, 'footers'), { recursive: true })
    await writeFile(join(folder, 'other'), randomBytes(100_000))
    const both = await store.put({ 'disk.raw': disk, other: join(folder, 'other') })
    const [first, second] = [fileOf().packs[0]!, fileOf(both).packs[0]!]
    expect(first).not.toBe(second)
    // Found as a leftover, it is taken in again.
    await writeFile(join(dir, 'writing/left'), '')
    await store.close()
    store = await openStore({ dir, now: () => 0 })
    await store.writeValue('x', '')
    expect((await store.stats()).packs).toBe(2)

    await flip(contentPath(dir, broken === 'first' ? first : second), 0.1)
    await flip(contentPath(dir, broken === 'first' ? first : second), 0.5)
    const out = join(folder, 'out')
    await store.restore(fileOf(), out)
    expect((await readFile(out)).equals(data)).toBe(true)
  },
)

test.each([
  ['a record of another key', { key: 'b'.repeat(64) }, `its record is of the key ${'b'.repeat(64)}`],
  ['another format', { format: 2 }, 'its record has no valid format'],
  ['no artifact', { artifact: [] }, 'its record has no valid artifact'],
  [
    'a digest that is a path',
    { artifact: { x: { size: 1, diskDigest: '../x' } } },
    'its record has no valid artifact.x.diskDigest',
  ],
  ['a size that is none', { artifact: { x: { size: -1 } } }, 'its record has no valid artifact.x.size'],
  ['text for a number', { started: 'now' }, 'its record has no valid started'],
])('%s under a key is a miss', async (_, change, reason) => {
  const bytes = Buffer.from(JSON.stringify({ ...record, ...change }))
  const { putContent } = await import('../../cache/content.ts')
  const digest = createHash('sha256').update(bytes).digest('hex')
  await putContent(dir, `record:${record.key}`, { data: bytes, digest })
  expect(await store.find(record.key)).toEqual({ hit: false, reason })
})

test('a value under another key’s name is not that key’s value', async () => {
  const { putEntry } = await import('../../cache/content.ts')
  await putEntry(dir, 'value:catalog:2', readEntry(dir, 'value:catalog:1')!.digest)
  expect(await store.readValue('catalog:2')).toBeUndefined()
})

test.skipIf(process.getuid?.() === 0)(
  'a pack that cannot be read for lack of rights is not called damaged',
  async () => {
    await chmod(packPath(), 0)
    const error = (await store
      .restore(fileOf(), join(folder, 'out'))
      .catch((cause: unknown) => cause)) as ImgError
    expect(error.code).toBe('CACHE_UNWRITABLE')
    await chmod(packPath(), 0o644)
    expect((await store.find(record.key)).hit).toBe(true)
  },
)

test('a sample of all finds what reading all finds, and one of nothing finds nothing', async () => {
  await flip(packPath(), 0.4)
  expect(await store.verify({ readData: false, sample: 0 })).toEqual([])
  const problems = await store.verify({ readData: false, sample: 1 })
  expect(problems[0]).toMatchObject({ kind: 'pack', name: fileOf().packs[0] })
  expect(problems[0]!.problem).toMatch(/^does not hold chunk [0-9a-f]{64}$/)
})
