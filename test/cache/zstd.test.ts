import { randomBytes } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checked, loadZstd, nativeZstd, nodeZstd, wasmZstd, type Zstd } from '../../cache/zstd.ts'
import { openDecoder } from '../../cache/zstd-wasm.ts'
import { frameMax } from '../../cache/pack-format.ts'

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

describe('decoding into memory that is there', () => {
  const decoder = openDecoder(2)
  const decode = (frame: Buffer, length: number): void => {
    decoder.source(frame.length).set(frame)
    decoder.decode(frame.length, length, 1)
  }
  const decoded = (length: number): Buffer => decoder.slot(1).subarray(0, length)
  const data = Buffer.concat([randomBytes(9000), Buffer.alloc(frameMax - 9000, 'text ')])

  test.each(all)('gives what was compressed by $name', async (zstd) => {
    for (const length of [0, 1, 5000, frameMax]) {
      decoder.slot(1).fill('old')
      decode(await zstd.compress(data.subarray(0, length)), length)
      expect(decoded(length).equals(data.subarray(0, length))).toBe(true)
    }
  })

  test.each([
    ['a shorter one', 999, 'a frame of 999 bytes decoded to 1000'],
    ['a longer one', 1001, 'not a whole zstd frame'],
  ])('refuses a frame in the place of %s', async (_, length, message) => {
    const frame = await (await wasmZstd()).compress(randomBytes(1000))
    expect(() => decode(frame, length)).toThrow(message)
  })

  test('refuses a frame that decodes to more than there is room for, and touches no other slot', async () => {
    decoder.slot(0).fill('old')
    decoder.slot(1).fill('old')
    const frame = await (await wasmZstd()).compress(Buffer.alloc(2 * frameMax, 'x'))
    expect(() => decode(frame, frameMax)).toThrow('not a zstd frame')
    expect(decoder.slot(0).equals(Buffer.alloc(frameMax, 'old'))).toBe(true)
  })

  test('refuses bytes that are no frame, and goes on', async () => {
    expect(() => decode(randomBytes(1000), 1000)).toThrow('not a whole zstd frame')
    // One compressed block of ten bytes that are not one.
    const nonsense = Buffer.concat([
      Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 7 << 3, (10 << 3) | 5, 0, 0]),
      Buffer.alloc(10, 255),
    ])
    expect(() => decode(nonsense, 1000)).toThrow('not a zstd frame')
    decode(await (await wasmZstd()).compress(data), frameMax)
    expect(decoded(frameMax).equals(data)).toBe(true)
  })

  test('gives its memory back', () => {
    const before = decoder.slot(0).buffer.byteLength
    for (let round = 0; round < 100; round++) openDecoder(32).close()
    // What the first of them took may stay.
    expect(decoder.slot(0).buffer.byteLength - before).toBeLessThan(40 * frameMax)
  })

  test('goes on when another decoder is opened, and its memory has grown', async () => {
    const frame = await (await wasmZstd()).compress(data)
    decode(frame, frameMax)
    openDecoder(200)
    await (await wasmZstd()).compress(data)
    expect(decoded(frameMax).equals(data)).toBe(true)
    decode(frame, frameMax)
    expect(decoded(frameMax).equals(data)).toBe(true)
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
