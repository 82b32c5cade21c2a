import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { decodedBound } from '../../cache/zstd-frame.ts'
import { nativeZstd, nodeZstd, wasmZstd, type Zstd } from '../../cache/zstd.ts'

const all: readonly Zstd[] = [nodeZstd(), await nativeZstd(), await wasmZstd()].filter(
  (zstd) => zstd !== undefined,
)
const mib = 1024 * 1024

test.each(all)('a frame of $name decodes to no more than its bound', async (zstd) => {
  for (const data of [Buffer.alloc(0), Buffer.alloc(5, 'a'), Buffer.alloc(262144), randomBytes(262144)]) {
    const bound = decodedBound(await zstd.compress(data))!
    expect(bound).toBeGreaterThanOrEqual(data.length)
    expect(bound).toBeLessThanOrEqual(data.length + 256 * 1024)
  }
})

/** Descriptor without size or checksum, window of 128 KiB. */
const head = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 7 << 3]
const block = (last: 0 | 1, type: 0 | 1 | 2 | 3, size: number): number[] => {
  const header = last | (type << 1) | (size << 3)
  return [header & 255, (header >> 8) & 255, header >> 16]
}
const bytes = (...parts: readonly (readonly number[])[]): Uint8Array => Uint8Array.from(parts.flat())

test('runs of one byte count in full, so a bomb of a few bytes is refused', () => {
  const run = [...block(0, 1, 128 * 1024), 0]
  const end = block(1, 0, 0)
  expect(decodedBound(bytes(head, run, end))).toBe(128 * 1024)
  const bomb = Array.from({ length: 100 }, () => run).flat()
  expect(decodedBound(bytes(head, bomb, end))).toBeUndefined()
  expect(decodedBound(bytes(head, bomb, end), 100 * mib)).toBe(100 * 128 * 1024)
})

test.each([
  ['nothing', bytes()],
  ['another magic', bytes([0x29, 0xb5, 0x2f, 0xfd, 0, 56], block(1, 0, 0))],
  ['no last block', bytes(head, block(0, 0, 0))],
  ['a block cut short', bytes(head, block(1, 2, 10), [1, 2])],
  ['a reserved block', bytes(head, block(1, 3, 0))],
  ['a block beyond 128 KiB', bytes(head, block(1, 1, 128 * 1024 + 1), [0])],
  ['bytes behind the end', bytes(head, block(1, 0, 0), [0])],
  ['a checksum that is missing', bytes([0x28, 0xb5, 0x2f, 0xfd, 0x04, 56], block(1, 0, 0))],
  ['a dictionary', bytes([0x28, 0xb5, 0x2f, 0xfd, 0x01, 56, 1], block(1, 0, 0))],
  ['a window of 1 GiB', bytes([0x28, 0xb5, 0x2f, 0xfd, 0x00, 20 << 3], block(1, 0, 0))],
  ['a declared size of 4 GiB', bytes([0x28, 0xb5, 0x2f, 0xfd, 0xa0, 255, 255, 255, 255], block(1, 0, 0))],
])('%s is no frame', (_, frame) => {
  expect(decodedBound(frame)).toBeUndefined()
})
