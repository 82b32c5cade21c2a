import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { chunkFile } from '../../cache/chunk-file.ts'
import { contentPath } from '../../cache/entries.ts'
import { openStore, type LocalStore } from '../../cache/open-store.ts'
import type { ArtifactFile } from '../../cache/store.ts'
import { pattern } from '../rig/ext4-image.ts'
import { renderOverlay } from '../rig/overlay.ts'
import { makeRandom } from '../rig/random.ts'

const mib = 1024 * 1024

let folder: string
let store: LocalStore
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'img-overlay-'))
  store = await openStore({ dir: join(folder, 'cache'), now: () => 0 })
})
afterEach(async () => {
  await store.close()
  rmSync(folder, { recursive: true })
})

/** 8 MiB of which five hold data. */
function parentBytes(): Buffer {
  const bytes = Buffer.alloc(8 * mib)
  pattern(3 * mib, 1).copy(bytes, 0)
  pattern(2 * mib, 2).copy(bytes, 5 * mib + 12_288)
  return bytes
}

async function putPlain(bytes: Buffer, name = 'plain'): Promise<ArtifactFile> {
  const path = join(folder, name)
  writeFileSync(path, bytes)
  return (await store.put({ 'disk.raw': path }))['disk.raw']!
}

async function putOverlay(
  parent: ArtifactFile,
  changes: Parameters<typeof renderOverlay>[1],
): Promise<ArtifactFile> {
  await store.materialiseBase(parent)
  const overlay = join(folder, 'overlay')
  writeFileSync(overlay, renderOverlay(parent.size, changes))
  return (await store.put({ 'disk.raw': { overlay, parent } }))['disk.raw']!
}

async function restored(file: ArtifactFile): Promise<Buffer> {
  const out = join(folder, 'out')
  await store.restore(file, out)
  return readFileSync(out)
}

test('a child is its parent with what the overlay says instead', async () => {
  const bytes = parentBytes()
  const parent = await putPlain(bytes)
  const fresh = pattern(65_536, 3)
  const child = await putOverlay(parent, [
    { offset: 65_536, data: fresh },
    { offset: 2 * mib, length: 131_072 },
    { offset: 8 * mib - 65_536, data: fresh },
  ])
  fresh.copy(bytes, 65_536)
  bytes.fill(0, 2 * mib, 2 * mib + 131_072)
  fresh.copy(bytes, 8 * mib - 65_536)
  expect((await restored(child)).equals(bytes)).toBe(true)
  const whole = await putPlain(bytes, 'whole')
  expect(child.diskDigest).toBe(whole.diskDigest)
  expect(child.dataBytes).toBe(whole.dataBytes)
})

test.each([1, 2, 3, 4, 5, 6])(
  'any child is as if it had been stored whole (%i)',
  async (seed) => {
    const random = makeRandom(seed)
    const bytes = parentBytes()
    let parent = await putPlain(bytes)
    for (let generation = 0; generation < 3; generation++) {
      const places = new Set(Array.from({ length: 1 + random(12) }, () => random(128)))
      const changes = [...places].map((place) =>
        random(4) === 0
          ? { offset: place * 65_536, length: 65_536 }
          : { offset: place * 65_536, data: pattern(65_536, random(5)) },
      )
      for (const change of changes) {
        if ('data' in change) change.data.copy(bytes, change.offset)
        else bytes.fill(0, change.offset, change.offset + change.length)
      }
      const child = await putOverlay(parent, changes)
      expect((await restored(child)).equals(bytes)).toBe(true)
      await store.adopt({ overlay: join(folder, 'overlay'), parent }, child)
      expect((await store.materialiseBase(child))[0]).toMatch(child.diskDigest)
      parent = child
    }
    expect(parent.diskDigest).toBe((await putPlain(bytes, 'whole')).diskDigest)
  },
  30_000,
)

const take = (): undefined => undefined

test('only cells with changes are read', async () => {
  const bytes = parentBytes()
  const reads: number[] = []
  const file = {
    path: 'disk',
    size: bytes.length,
    handle: {
      // oxlint-disable-next-line max-params -- as FileHandle has it
      read: async (into: Buffer, offset: number, length: number, position: number) => {
        reads.push(position)
        return { bytesRead: bytes.copy(into, offset, position, position + length) }
      },
    },
  }
  const whole = { start: 0, end: bytes.length }
  const parent = await chunkFile({ file, extents: [whole], pieces: [] }, take)
  expect(reads).toHaveLength(8)
  reads.length = 0
  pattern(4096, 4).copy(bytes, 5.5 * mib)
  const extents = [{ start: 5.5 * mib, end: 5.5 * mib + 4096 }]
  const child = await chunkFile({ file, extents, pieces: [], parent }, take)
  expect(reads).toEqual([5 * mib])
  expect(child.diskDigest).toBe((await chunkFile({ file, extents: [whole], pieces: [] }, take)).diskDigest)
})

test('equal trees on different blocks are never mixed: what is taken over goes by disk digest', async () => {
  // The same files, the second disk with its halves swapped: the same tree as far as keys can tell.
  const [one, other] = [pattern(2 * mib, 1), pattern(2 * mib, 2)]
  const first = await putPlain(Buffer.concat([one, other]), 'first')
  const second = await putPlain(Buffer.concat([other, one]), 'second')
  const change = { offset: 65_536, data: pattern(65_536, 5) }
  const [ofFirst, ofSecond] = [await putOverlay(first, [change]), await putOverlay(second, [change])]
  const expected = Buffer.concat([other, one])
  change.data.copy(expected, change.offset)
  expect((await restored(ofSecond)).equals(expected)).toBe(true)
  expect(ofFirst.diskDigest).not.toBe(ofSecond.diskDigest)
  // A map under another disk's name is not believed: its cells do not give that disk's digest.
  const swapped = { ...second, mapDigest: first.mapDigest, packs: first.packs }
  const refused = await putOverlay(swapped, [change])
  expect(refused.diskDigest).toBe(ofSecond.diskDigest)
  expect((await restored(refused)).equals(expected)).toBe(true)
})

test('without the parent’s map everything is read', async () => {
  const bytes = parentBytes()
  const parent = await putPlain(bytes)
  await store.materialiseBase(parent)
  rmSync(contentPath(join(folder, 'cache'), parent.mapDigest))
  const child = await putOverlay(parent, [{ offset: 0, data: pattern(65_536, 6) }])
  pattern(65_536, 6).copy(bytes, 0)
  expect((await restored(child)).equals(bytes)).toBe(true)
})

test('overlays of qemu-img are read, with and without parts of clusters', async () => {
  const bytes = parentBytes()
  const parent = await putPlain(bytes)
  const [base] = await store.materialiseBase(parent)
  const fresh = pattern(4096, 7)
  writeFileSync(join(folder, 'fresh'), fresh)
  for (const extended of ['on', 'off']) {
    const overlay = join(folder, `overlay-${extended}`)
    const create = `create -q -f qcow2 -o extended_l2=${extended} -F raw -b`.split(' ')
    execFileSync('qemu-img', [...create, base!, overlay])
    const commands = [
      '-c',
      `write -q -s ${join(folder, 'fresh')} 1052672 4096`,
      '-c',
      'write -q -z 5308416 65536',
    ]
    execFileSync('qemu-io', ['-f', 'qcow2', ...commands, overlay])
    const child = (await store.put({ 'disk.raw': { overlay, parent } }))['disk.raw']!
    const expected = Buffer.from(bytes)
    fresh.copy(expected, 1_052_672)
    expected.fill(0, 5_308_416, 5_308_416 + 65_536)
    expect((await restored(child)).equals(expected)).toBe(true)
    expect(child.diskDigest).toBe((await putPlain(expected, 'whole')).diskDigest)
  }
})

test.each([
  ['is no qcow2 file', (bytes: Buffer) => bytes.fill(0, 0, 4)],
  ['has the features 4', (bytes: Buffer) => bytes.writeUInt32BE(4, 76)],
  ['is encrypted', (bytes: Buffer) => bytes.writeUInt32BE(1, 32)],
  ['has an impossible header', (bytes: Buffer) => bytes.writeUInt32BE(40, 20)],
])('an overlay that %s is refused', async (problem, damage) => {
  const parent = await putPlain(parentBytes())
  await store.materialiseBase(parent)
  const overlay = join(folder, 'overlay')
  const bytes = renderOverlay(parent.size, [])
  damage(bytes)
  writeFileSync(overlay, bytes)
  const error = await store.put({ 'disk.raw': { overlay, parent } }).catch((cause: unknown) => cause as Error)
  expect((error as Error).message).toBe(`cannot store ${overlay}: the overlay ${problem}`)
})

test('a disk whose base is gone or changed is made again', async () => {
  const bytes = parentBytes()
  const parent = await putPlain(bytes)
  const child = await putOverlay(parent, [{ offset: 0, data: pattern(65_536, 8) }])
  await store.adopt({ overlay: join(folder, 'overlay'), parent }, child)
  const chain = await store.materialiseBase(child)
  expect(chain).toHaveLength(2)
  await store.close()
  rmSync(chain[1]!, { force: true })
  store = await openStore({ dir: join(folder, 'cache'), now: () => 0 })
  const again = await store.materialiseBase(child)
  expect(again).toHaveLength(1)
  pattern(65_536, 8).copy(bytes, 0)
  expect(readFileSync(again[0]!).equals(bytes)).toBe(true)
})

test('a disk is restored onto its parent’s by writing what differs, and qemu reads it so', async () => {
  const bytes = parentBytes()
  const parent = await putPlain(bytes)
  const childBytes = Buffer.from(bytes)
  pattern(5000, 9).copy(childBytes, 8192)
  childBytes.fill(0, 2 * mib, 3 * mib)
  pattern(300_000, 10).copy(childBytes, 4 * mib)
  pattern(4096, 11).copy(childBytes, 8 * mib - 4096)
  const child = await putPlain(childBytes, 'child')
  const grandBytes = Buffer.from(childBytes)
  pattern(8192, 12).copy(grandBytes, mib)
  const grand = await putPlain(grandBytes, 'grand')

  await store.materialiseBase(parent)
  const files = await store.materialiseBase(child, parent)
  expect(files.map((file) => file.split('.').at(-1))).toEqual(['qcow2', 'raw'])
  expect(statSync(files[0]!).blocks * 512).toBeLessThan(2 * mib)
  const all = await store.materialiseBase(grand, child)
  expect(all).toEqual([expect.stringMatching(grand.diskDigest), ...files])
  for (const [overlay, expected] of [
    [files[0]!, childBytes],
    [all[0]!, grandBytes],
  ] as const) {
    execFileSync('qemu-img', ['check', '-q', overlay])
    execFileSync('qemu-img', ['convert', '-O', 'raw', overlay, join(folder, 'flat')])
    expect(readFileSync(join(folder, 'flat')).equals(expected)).toBe(true)
  }
})

test('a damaged pack is found before its disk is used, and what is made of its parent does not stay', async () => {
  const parent = await putPlain(parentBytes())
  const bytes = parentBytes()
  pattern(300_000, 10).copy(bytes, 4 * mib)
  const child = await putPlain(bytes, 'child')
  await store.materialiseBase(parent)
  const [pack] = child.packs.filter((id) => !parent.packs.includes(id))
  const path = contentPath(join(folder, 'cache'), pack!)
  const packed = readFileSync(path)
  // Random bytes are stored as they are: nothing but a digest notices this.
  packed[packed.length >> 1]! ^= 1
  chmodSync(path, 0o644)
  writeFileSync(path, packed)
  await expect(store.materialiseBase(child, parent)).rejects.toThrow('is in no pack')
  const disks = readdirSync(join(folder, 'cache', 'disks')).filter((name) => /raw$|qcow2$/.test(name))
  expect(disks).toEqual([`${parent.diskDigest}.raw`])
})

test('a disk that is here as overlays becomes plain, freed blocks stay holes', async () => {
  const bytes = parentBytes()
  const parent = await putPlain(bytes)
  const changes = [
    { offset: 0, data: pattern(65_536, 8) },
    { offset: 5 * mib, length: mib },
    { offset: 7 * mib + 65_536, length: mib - 65_536 },
  ]
  const child = await putOverlay(parent, changes)
  await store.adopt({ overlay: join(folder, 'overlay'), parent }, child)
  const grand = await putOverlay(child, [{ offset: 5.5 * mib, data: pattern(65_536, 9) }])
  await store.adopt({ overlay: join(folder, 'overlay'), parent: child }, grand)
  pattern(65_536, 8).copy(bytes, 0)
  bytes.fill(0, 5 * mib, 6 * mib)
  bytes.fill(0, 7 * mib + 65_536)
  pattern(65_536, 9).copy(bytes, 5.5 * mib)
  // Not from packs: there are none any more.
  rmSync(join(folder, 'cache', 'footers'), { recursive: true })
  const plain = await store.materialise(grand)
  expect(plain).toMatch(/\.raw$/)
  expect(readFileSync(plain).equals(bytes)).toBe(true)
  expect(statSync(plain).blocks * 512).toBeLessThan(7 * mib)
})

test('a parent that is not here, or not what it says, makes no difference to what is restored', async () => {
  const parent = await putPlain(parentBytes())
  const bytes = parentBytes()
  pattern(5000, 9).copy(bytes, 8192)
  const child = await putPlain(bytes, 'child')
  const [plain] = await store.materialiseBase(child, parent)
  expect(plain).toMatch(/\.raw$/)
  expect(readFileSync(plain!).equals(bytes)).toBe(true)
})
