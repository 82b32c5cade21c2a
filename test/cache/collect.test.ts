import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { contentPath, readEntry } from '../../cache/entries.ts'
import { openStore, type LocalStore } from '../../cache/open-store.ts'
import type { LayerRecord } from '../../cache/store.ts'
import type { ImgError } from '../../tasks/errors.ts'
import { exampleRecord } from '../rig/example-record.ts'
import { pattern } from '../rig/ext4-image.ts'

const day = 24 * 60 * 60 * 1000
const now = 20_000 * day

let folder: string
let dir: string
const opened: LocalStore[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'img-collect-'))
  dir = join(folder, 'cache')
})
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close()
  rmSync(folder, { recursive: true })
})

async function open(): Promise<LocalStore> {
  const store = await openStore({ dir, now: () => now })
  opened.push(store)
  return store
}

/** Builds number `seed` of a layer, `seed` days after the first. */
async function build(store: LocalStore, seed: number, layer = 'base:trixie'): Promise<LayerRecord> {
  const path = join(folder, `disk-${seed}`)
  writeFileSync(path, Buffer.concat([pattern(100_000, seed), pattern(100_000, 0)]))
  const artifact = await store.put({ 'disk.raw': path })
  const key = seed.toString(16).padStart(64, '0')
  const record = exampleRecord({ key, layer, artifact, started: now - (100 - seed) * day })
  await store.save(record)
  return record
}

const rules = { last: 1, days: 0, now, dryRun: false }
const fileOf = (record: LayerRecord): LayerRecord['artifact'][string] => record.artifact['disk.raw']!

async function bytesOf(store: LocalStore, record: LayerRecord): Promise<Buffer> {
  const out = join(folder, 'out')
  await store.restore(fileOf(record), out)
  return readFileSync(out)
}

const original = (seed: number): Buffer => readFileSync(join(folder, `disk-${seed}`))

test('what is not kept goes with its packs, and what is kept is whole', async () => {
  const store = await open()
  const [first, second] = [await build(store, 1), await build(store, 2)]
  const own = fileOf(second).packs.filter((pack) => !fileOf(first).packs.includes(pack))
  const third = await build(store, 3, 'role:web')
  // The first build's pack holds what all share, so only the second's own bytes go.
  const collection = await store.collect({ ...rules, last: 0 })
  expect(collection.verdicts.map(({ keep }) => keep)).toEqual([false, false, false])
  expect(own).toHaveLength(1)
  expect(collection.removed.packs).toBe(3)
  for (const record of [first, second, third]) expect((await store.find(record.key)).hit).toBe(false)
  expect(readdirSync(join(dir, 'footers'))).toEqual([])
  expect(await store.verify({ readData: true })).toEqual([])
})

test('a removed build is a miss that says so, keeps its record, and can be built again', async () => {
  const store = await open()
  const [first, second] = [await build(store, 1), await build(store, 2)]
  await store.collect(rules)
  expect(await store.find(first.key)).toMatchObject({
    hit: false,
    reason: 'its disk was removed on 2024-10-04, as it is not among the newest 1 of its layer',
    record: { treeDigest: first.treeDigest },
  })
  expect((await bytesOf(store, second)).equals(original(2))).toBe(true)
  expect(await store.verify({ readData: true })).toEqual([])
  const again = await build(store, 1)
  expect((await store.find(first.key)).hit).toBe(true)
  expect((await bytesOf(store, again)).equals(original(1))).toBe(true)
})

test('a rehearsal names the same builds and removes nothing', async () => {
  const store = await open()
  for (const seed of [1, 2, 3]) await build(store, seed)
  const before = readdirSync(join(dir, 'footers'))
  const rehearsed = await store.collect({ ...rules, dryRun: true })
  expect(readdirSync(join(dir, 'footers'))).toEqual(before)
  const { verdicts, removed } = await store.collect(rules)
  expect(rehearsed.verdicts).toEqual(verdicts)
  expect(rehearsed.removed).toEqual(removed)
})

test('what another project built last of a layer of that name stays', async () => {
  const theirs = await openStore({ dir, now: () => now, project: 'theirs' })
  opened.push(theirs)
  const first = await build(theirs, 1)
  const store = await openStore({ dir, now: () => now, project: 'ours' })
  opened.push(store)
  const [second, third] = [await build(store, 2), await build(store, 3)]
  const { verdicts } = await store.collect(rules)
  expect(verdicts.map(({ record, keep }) => [record.key, keep])).toEqual([
    [third.key, true],
    [second.key, false],
    [first.key, true],
  ])
  expect((await bytesOf(theirs, first)).equals(original(1))).toBe(true)
})

test('a pinned build stays until it is unpinned', async () => {
  const store = await open()
  const [first] = [await build(store, 1), await build(store, 2)]
  await store.pin({ key: first.key, layer: first.layer, since: now })
  await store.collect(rules)
  expect((await store.find(first.key)).hit).toBe(true)
  expect(await store.pins()).toEqual([{ key: first.key, layer: 'base:trixie', since: now }])
  await store.unpin(first.key)
  await store.collect(rules)
  expect((await store.find(first.key)).hit).toBe(false)
})

test('whoever was in the store can still read what it found; the next collection removes it', async () => {
  const [store, reader] = [await open(), await open()]
  const [first] = [await build(store, 1), await build(store, 2)]
  // It is in the store from here on.
  await reader.writeValue('here', '')
  const collection = await store.collect(rules)
  expect(collection.removed.packs).toBe(0)
  expect((await reader.find(first.key)).hit).toBe(false)
  expect((await bytesOf(reader, first)).equals(original(1))).toBe(true)
  await reader.close()
  const map = contentPath(dir, fileOf(first).mapDigest)
  expect(existsSync(map)).toBe(true)
  await store.collect(rules)
  expect(existsSync(map)).toBe(false)
})

test('what a killed collection had half removed is no damage, and the next one removes the rest', async () => {
  const [store, reader] = [await open(), await open()]
  const [first] = [await build(store, 1), await build(store, 2)]
  await reader.writeValue('here', '')
  await store.collect(rules)
  // Its content goes before what names it.
  rmSync(contentPath(dir, fileOf(first).mapDigest))
  expect(await store.verify({ readData: true })).toEqual([])
  await reader.close()
  await store.collect(rules)
  expect(readEntry(dir, `map:${fileOf(first).mapDigest}`)).toBeUndefined()
  expect(await store.verify({ readData: true })).toEqual([])
})

test('what was condemned and built again is looked at', async () => {
  const [store, reader] = [await open(), await open()]
  const [first] = [await build(store, 1), await build(store, 2)]
  await reader.writeValue('here', '')
  await store.collect(rules)
  await build(store, 1)
  rmSync(contentPath(dir, fileOf(first).mapDigest))
  expect(await store.verify({ readData: true })).toContainEqual({
    kind: 'map',
    name: fileOf(first).mapDigest,
    problem: 'is missing',
  })
})

test('what was put and not yet recorded is not removed: the collection waits', async () => {
  const [store, other] = [await open(), await open()]
  const path = join(folder, 'disk-7')
  writeFileSync(path, pattern(100_000, 7))
  const artifact = await store.put({ 'disk.raw': path })
  const order: string[] = []
  const collecting = other.collect(rules).then((collection) => {
    order.push('collected')
    return collection
  })
  const record = exampleRecord({ key: '7'.repeat(64), artifact })
  order.push('saving')
  await store.save(record)
  await collecting
  expect(order).toEqual(['saving', 'collected'])
  expect((await store.find(record.key)).hit).toBe(true)
  expect((await bytesOf(store, record)).equals(original(7))).toBe(true)
})

test('who stores without an end makes it give up', async () => {
  const [store, other] = [await open(), await open()]
  const path = join(folder, 'disk-9')
  writeFileSync(path, pattern(100_000, 9))
  await store.put({ 'disk.raw': path })
  const error = await other
    .collect({ ...rules, patienceMs: 100 })
    .catch((cause: unknown) => cause as ImgError)
  expect((error as ImgError).code).toBe('CACHE_BUSY')
  expect((error as ImgError).message).toBe('cannot remove anything: something is being stored all the time')
  expect((error as ImgError).fields.hint).toBe(
    'wait for the builds that run to end, then run `img cache gc` again',
  )
})

test('what a killed put left goes', async () => {
  const store = await open()
  const path = join(folder, 'disk-8')
  writeFileSync(path, pattern(100_000, 8))
  await store.put({ 'disk.raw': path })
  await store.close()
  const { removed } = await (await open()).collect(rules)
  expect(removed.packs).toBe(1)
})
