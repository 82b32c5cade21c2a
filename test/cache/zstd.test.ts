import { randomBytes } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checked, loadZstd, nativeZstd, nodeZstd, wasmZstd, type Zstd } from '../../cache/zstd.ts'

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
      for (const other of all) expect((await other.decompress(frame, data.length)).equals(data)).toBe(true)
      expect((await (await loadZstd()).decompress(frame, data.length)).equals(data)).toBe(true)
    }
  })
})

test.each([999, 1001])('a frame of 1000 bytes is not one of %i', async (length) => {
  const zstd = await loadZstd()
  const frame = await zstd.compress(Buffer.from('some text, '.repeat(100)).subarray(0, 1000))
  await expect(zstd.decompress(frame, length)).rejects.toThrow(`a frame of ${length} bytes decoded to 1000`)
})

test('a damaged frame is refused or decodes to the same length', async () => {
  const zstd = await loadZstd()
  const data = Buffer.from(Array.from({ length: 20_000 }, (_, index) => (index * index) % 251))
  const frame = await zstd.compress(data)
  const damage = fc.tuple(fc.nat(frame.length - 1), fc.integer({ min: 1, max: 255 }))
  const lengths = new Set<number>()
  for (const [at, flip] of fc.sample(damage, 200)) {
    const damaged = Buffer.from(frame)
    damaged[at]! ^= flip
    const decoded = await zstd.decompress(damaged, data.length).catch(() => data)
    lengths.add(decoded.length)
  }
  expect([...lengths]).toEqual([data.length])
})

test.each([
  ['other data', (frame: Buffer) => Buffer.concat([frame.subarray(0, -1), Buffer.from([frame.at(-1)! ^ 1])])],
  ['nothing', () => Buffer.alloc(0)],
])('a compressor whose frame decodes to %s is found out before the frame is stored', async (_, spoil) => {
  const wasm = await wasmZstd()
  const failing = checked({ ...wasm, compress: async (data) => spoil(await wasm.compress(data)) })
  await expect(failing.compress(Buffer.from('raw literals of a short text'))).rejects.toMatchObject({
    code: 'CACHE_DAMAGED',
    message: 'zstd (wasm) made a frame that does not decode to its data',
    fields: { hint: "run the command again; if it happens again, test this machine's memory" },
  })
})
