import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { BlockSource } from '../../../cache/block-source.ts'
import { readFilePieces } from '../../../cache/cut-hints.ts'
import { Ext4Odd } from '../../../cache/ext4/odd.ts'
import { openExt4 } from '../../../cache/ext4/open-ext4.ts'
import { makeExt4, plantTree } from '../../rig/ext4-image.ts'
import { makeRandom } from '../../rig/random.ts'

const blockSize = 4096

let folder: string
let image: Buffer
/** Where a change can matter: superblock, descriptors, inode tables, folders, trees of extents. */
let metadata: readonly number[]

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'img-ext4-fuzz-'))
  plantTree(join(folder, 'tree'))
  await makeExt4(join(folder, 'image'), {
    root: join(folder, 'tree'),
    size: '16M',
    mkfs: ['-N', '1024', '-b', '4096'],
  })
  image = readFileSync(join(folder, 'image'))
  const inFiles = new Set<number>()
  const ext4 = openExt4(sourceOf(image))!
  for (const inode of ext4.inodes()) {
    if (inode.kind !== 'file') continue
    for (const { physical, length } of ext4.extents(inode))
      for (let block = physical; block < physical + length; block++) inFiles.add(block)
  }
  metadata = Array.from({ length: image.length / blockSize }, (_, block) => block).filter(
    (block) =>
      !inFiles.has(block) &&
      !image.subarray(block * blockSize, (block + 1) * blockSize).every((byte) => byte === 0),
  )
})
afterAll(() => rmSync(folder, { recursive: true }))

const sourceOf = (bytes: Buffer): BlockSource => ({
  size: bytes.length,
  read: (position, into) => {
    into.fill(0)
    if (position < bytes.length) bytes.copy(into, 0, position, position + into.length)
  },
  close: () => undefined,
})

/** Reads all there is; what it threw, if that is what may be thrown. */
function readEverything(bytes: Buffer): 'read' | 'refused' {
  try {
    const ext4 = openExt4(sourceOf(bytes))
    if (ext4 === undefined) return 'refused'
    let total = 0
    for (const { start, length } of ext4.freeBlocks()) {
      if (length < 1 || (start + length) * ext4.blockSize > bytes.length)
        throw new Error(`${length} blocks at ${start} are free`)
    }
    for (const inode of ext4.inodes()) {
      ext4.attributes(inode)
      if (inode.kind === 'folder') for (const entry of ext4.entries(inode)) ext4.inode(entry.inode)
      if (inode.kind === 'link') ext4.target(inode)
      if (inode.kind !== 'file') continue
      for (const part of ext4.content(inode)) {
        total += part.length
        // A file may claim any size; who reads stops where the disk's own size makes no sense of it.
        if (total > 20 * bytes.length) return 'read'
      }
    }
    return 'read'
  } catch (cause) {
    if (cause instanceof Ext4Odd) return 'refused'
    throw cause
  }
}

test('the undamaged image is read', () => expect(readEverything(image)).toBe('read'))

test('a damaged filesystem is read or refused, and nothing else happens', () => {
  const random = makeRandom(20_250_101)
  const seen = { read: 0, refused: 0 }
  const bytes = Buffer.from(image)
  for (let round = 0; round < 300; round++) {
    const restored: number[] = []
    for (let change = 0; change < 1 + random(6); change++) {
      // Half of the changes where most structures are: superblock and descriptors.
      const block = random(2) === 0 ? random(3) : metadata[random(metadata.length)]!
      const at = block * blockSize + random(blockSize)
      const value = [0, 0xff, random(256), bytes[at]! ^ (1 << random(8))][random(4)]!
      bytes[at] = value
      restored.push(at)
    }
    seen[readEverything(bytes)]++
    expect(Array.isArray(readFilePieces(sourceOf(bytes)))).toBe(true)
    for (const at of restored) bytes[at] = image[at]!
  }
  expect(seen.read).toBeGreaterThan(20)
  expect(seen.refused).toBeGreaterThan(20)
}, 60_000)

test('pieces of a damaged filesystem lie on the disk, in order, and do not overlap', () => {
  const random = makeRandom(7)
  let found = 0
  const bytes = Buffer.from(image)
  for (let round = 0; round < 200; round++) {
    const at = metadata[random(metadata.length)]! * blockSize + random(blockSize)
    bytes[at] = random(256)
    let end = 0
    const pieces = readFilePieces(sourceOf(bytes))
    found += pieces.length
    for (const piece of pieces) {
      expect(piece.start).toBeGreaterThanOrEqual(end)
      expect(piece.end).toBeGreaterThan(piece.start)
      end = piece.end
    }
    expect(end).toBeLessThanOrEqual(bytes.length)
  }
  expect(found).toBeGreaterThan(1000)
}, 60_000)
