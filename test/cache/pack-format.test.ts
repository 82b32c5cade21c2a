import { randomBytes } from 'node:crypto'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  packHead,
  parseFooter,
  parseTrailer,
  renderFooter,
  trailerLength,
  type Frame,
} from '../../cache/pack-format.ts'

const frames: Frame[] = [
  { offset: 8, stored: 100, raw: 100, codec: 'raw' },
  { offset: 108, stored: 50, raw: 5000, codec: 'zstd' },
]
const chunks = [
  { digest: randomBytes(32), frame: 0, at: 0, length: 100 },
  { digest: randomBytes(32), frame: 1, at: 0, length: 4096 },
  { digest: randomBytes(32), frame: 1, at: 4096, length: 904 },
]

test('a footer gives back frames and chunks, chunks sorted by digest', () => {
  const footer = parseFooter(renderFooter(158, frames, chunks))!
  expect(footer.packSize).toBe(158 + 8 + 2 * 16 + 3 * 44 + trailerLength)
  expect(footer.frames).toEqual(frames)
  const sorted = chunks.toSorted((a, b) => a.digest.compare(b.digest))
  expect(Array.from({ length: footer.chunkCount }, (_, chunk) => footer.digestAt(chunk))).toEqual(
    sorted.map(({ digest }) => digest),
  )
  expect(footer.placeOf(1)).toEqual({ frame: sorted[1]!.frame, at: sorted[1]!.at, length: sorted[1]!.length })
  expect(footer.isAt(1, sorted[1]!.digest)).toBe(true)
  expect(footer.isAt(0, sorted[1]!.digest)).toBe(false)
})

test('an empty pack has an empty footer', () => {
  expect(parseFooter(renderFooter(packHead.length, [], []))).toMatchObject({ frames: [], chunkCount: 0 })
})

test('no single damaged byte goes unnoticed', () => {
  const bytes = renderFooter(158, frames, chunks)
  for (let at = 0; at < bytes.length; at++) {
    const damaged = Buffer.from(bytes)
    damaged[at]! ^= 1 << (at % 8)
    const parsed = parseFooter(damaged)
    // The footer's offset is not under its hash, but frames must end where it says.
    expect(parsed, `byte ${at}`).toBeUndefined()
  }
})

test('nor a cut off or lengthened footer', () => {
  const bytes = renderFooter(158, frames, chunks)
  for (let length = 0; length < bytes.length; length++)
    expect(parseFooter(bytes.subarray(0, length))).toBeUndefined()
  expect(parseFooter(Buffer.concat([Buffer.alloc(1), bytes]))).toBeUndefined()
})

const fits = { frames, chunks, offset: 158 }
test.each([
  ['frames that overlap', { ...fits, frames: [frames[0]!, { ...frames[1]!, offset: 107 }] }],
  ['frames that end early', { ...fits, offset: 159 }],
  ['a frame larger than a frame may be', { ...fits, frames: [frames[0]!, { ...frames[1]!, raw: 262145 }] }],
  ['a compressed frame that is not smaller', { ...fits, frames: [frames[0]!, { ...frames[1]!, raw: 50 }] }],
  ['a raw frame of two lengths', { ...fits, frames: [{ ...frames[0]!, raw: 101 }, frames[1]!] }],
  ['a chunk beyond its frame', { ...fits, chunks: [{ ...chunks[0]!, length: 101 }] }],
  ['a chunk in no frame', { ...fits, chunks: [{ ...chunks[0]!, frame: 2 }] }],
  ['an empty chunk', { ...fits, chunks: [{ ...chunks[0]!, length: 0 }] }],
  ['a chunk twice', { ...fits, chunks: [chunks[0]!, chunks[0]!] }],
  ['a pack larger than a pack may be', { ...fits, offset: 64 * 1024 * 1024 }],
])('a footer with %s is refused', (_, { frames: some, chunks: others, offset }) => {
  expect(parseFooter(renderFooter(offset, some, others))).toBeUndefined()
})

test('arbitrary bytes are no footer and no error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(parseFooter(Buffer.from(bytes))).toBeUndefined()
      expect(parseTrailer(Buffer.from(bytes))).toBeUndefined()
    }),
  )
})
