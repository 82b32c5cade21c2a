import { createHash, randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { cellSize, hashCell, makeDiskDigest } from '../../cache/disk-digest.ts'

const sha256 = (...parts: readonly Uint8Array[]): Buffer => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}
const root = (size: number, top: Buffer): string => {
  const head = Buffer.alloc(8)
  head.writeBigUInt64LE(BigInt(size))
  return sha256(Buffer.from('img disk 1\n'), head, top).toString('hex')
}
const zeros = Buffer.alloc(32)

test('a disk without data has the constant of its size', () => {
  expect(makeDiskDigest(0).compute()).toBe(root(0, zeros))
  expect(makeDiskDigest(5000).compute()).toBe(root(5000, zeros))
  expect(makeDiskDigest(2 ** 42).compute()).toBe(root(2 ** 42, zeros))
})

test('one cell is its own top', () => {
  const digest = makeDiskDigest(100)
  digest.set(0, sha256(Buffer.from('data')))
  expect(digest.compute()).toBe(root(100, sha256(Buffer.from('data'))))
})

test('several cells are hashed together, holes as zeros', () => {
  const [first, third] = [randomBytes(32), randomBytes(32)]
  const digest = makeDiskDigest(2 * cellSize + 1)
  digest.set(2, third)
  digest.set(0, first)
  expect(digest.compute()).toBe(root(2 * cellSize + 1, sha256(first, zeros, third)))
})

test('more than 1024 cells make a second level; a subtree without data is zeros', () => {
  const cell = randomBytes(32)
  const digest = makeDiskDigest(2050 * cellSize)
  digest.set(1025, cell)
  const middle = Buffer.concat([zeros, cell, Buffer.alloc(32 * 1022)])
  expect(digest.compute()).toBe(root(2050 * cellSize, sha256(zeros, sha256(middle), zeros)))
})

test('a cell is hashed as it is when asked, whatever happens to the buffer', async () => {
  const cell = randomBytes(1000)
  const wanted = sha256(cell)
  const hashing = hashCell(cell)
  cell.fill(0)
  expect(await hashing).toEqual(wanted)
})
