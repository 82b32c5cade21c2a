import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { contentPath } from '../../cache/entries.ts'
import { openStore, type LocalStore } from '../../cache/open-store.ts'
import type { LayerRecord } from '../../cache/store.ts'
import { exampleRecord } from '../rig/example-record.ts'
import { pattern } from '../rig/ext4-image.ts'
import { makeRandom } from '../rig/random.ts'

let folder: string
let dir: string
let store: LocalStore
let record: LayerRecord
const disk = Buffer.concat([pattern(600_000, 1), Buffer.alloc(400_000, 'text that compresses well, ')])

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'img-repair-'))
  dir = join(folder, 'cache')
  store = await openStore({ dir, now: () => 0 })
  writeFileSync(join(folder, 'disk'), disk)
  record = exampleRecord({ artifact: await store.put({ 'disk.raw': join(folder, 'disk') }) })
  await store.save(record)
})
afterEach(async () => {
  await store.close()
  rmSync(folder, { recursive: true })
})

const fileOf = (): LayerRecord['artifact'][string] => record.artifact['disk.raw']!

function damagePack(places: readonly number[]): void {
  const path = contentPath(dir, fileOf().packs[0]!)
  const bytes = readFileSync(path)
  for (const place of places) bytes[Math.floor(place * (bytes.length - 20_000))]! ^= 0xff
  rmSync(path)
  writeFileSync(path, bytes)
}

async function reopen(): Promise<void> {
  await store.close()
  store = await openStore({ dir, now: () => 0 })
}

test('a whole store needs nothing', async () => expect(await store.repair()).toEqual([]))

test('a damaged pack is made anew from the materialised disk, byte for byte', async () => {
  await store.materialise(fileOf())
  damagePack([0.1, 0.5, 0.9])
  await reopen()
  const [pack] = fileOf().packs
  expect(await store.repair()).toEqual([
    { kind: 'pack', name: pack, problem: 'has damaged bytes', outcome: 'healed' },
  ])
  expect(await store.verify({ readData: true })).toEqual([])
  const out = join(folder, 'out')
  await store.restore(fileOf(), out)
  expect(readFileSync(out).equals(disk)).toBe(true)
})

test('a pack that is gone is made anew as well', async () => {
  await store.materialise(fileOf())
  rmSync(contentPath(dir, fileOf().packs[0]!))
  await reopen()
  expect((await store.repair())[0]).toMatchObject({ kind: 'pack', problem: 'is missing' })
})

test('what is nowhere else is put aside, its record says so, and verify is content', async () => {
  damagePack([0.3])
  await reopen()
  expect((await store.repair())[0]).toMatchObject({ kind: 'pack', outcome: 'put aside' })
  expect(await store.verify({ readData: true })).toEqual([])
  const found = await store.find(record.key)
  expect(found.hit).toBe(false)
  const again = await store.put({ 'disk.raw': join(folder, 'disk') })
  await store.save({ ...record, artifact: again })
  expect((await store.find(record.key)).hit).toBe(true)
  expect(await store.verify({ readData: true })).toEqual([])
})

test.each([1, 2, 3, 4])(
  'any damage is healed or put aside, and no wrong byte comes out (%i)',
  async (seed) => {
    const random = makeRandom(seed)
    await store.materialise(fileOf())
    const places = Array.from({ length: 1 + random(5) }, () => random(1000) / 1000)
    damagePack(places)
    await reopen()
    await store.repair()
    expect(await store.verify({ readData: true })).toEqual([])
    const found = await store.find(record.key)
    if (found.hit) await store.restore(found.record.artifact['disk.raw']!, join(folder, 'out'))
    else writeFileSync(join(folder, 'out'), disk)
    expect(readFileSync(join(folder, 'out')).equals(disk)).toBe(true)
  },
)
