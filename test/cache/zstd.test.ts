import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { loadZstd, nativeZstd, nodeZstd, wasmZstd, type Zstd } from '../../cache/zstd.ts'

const all: readonly Zstd[] = [nodeZstd(), await nativeZstd(), await wasmZstd()].filter(
  (zstd) => zstd !== undefined,
)

test('there are at least two implementations to compare', () => {
  expect(all.length).toBeGreaterThanOrEqual(2)
})

describe.each(all)('frames of $name', (zstd) => {
  test('are read by every implementation', async () => {
    for (const data of [
      Buffer.alloc(0),
      Buffer.from('x'),
      Buffer.alloc(262144, 'text '),
      randomBytes(262144),
    ]) {
      const frame = await zstd.compress(data)
      for (const other of all)
        expect((await other.decompress(frame, data.length)).equals(data), other.name).toBe(true)
      expect((await (await loadZstd()).decompress(frame, data.length)).equals(data)).toBe(true)
    }
  })
})

test('a frame of another length than expected is refused', async () => {
  const zstd = await loadZstd()
  const frame = await zstd.compress(Buffer.alloc(1000, 'a'))
  await expect(zstd.decompress(frame, 999)).rejects.toThrow()
  await expect(zstd.decompress(frame, 1001)).rejects.toThrow()
})

test('a damaged frame is refused or decodes to the same length', async () => {
  const zstd = await loadZstd()
  const data = Buffer.from(Array.from({ length: 20_000 }, (_, index) => (index * index) % 251))
  const frame = await zstd.compress(data)
  await fc.assert(
    fc.asyncProperty(fc.nat(frame.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
      const damaged = Buffer.from(frame)
      damaged[at]! ^= flip
      const decoded = await zstd.decompress(damaged, data.length).catch(() => undefined)
      if (decoded !== undefined) expect(decoded.length).toBe(data.length)
    }),
  )
})
