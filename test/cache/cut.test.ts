import { randomBytes } from 'node:crypto'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { chunker, makeCutter } from '../../cache/cut.ts'

const lengthsOf = (data: Buffer): number[] => {
  const cutter = makeCutter()
  const lengths: number[] = []
  let start = 0
  for (let at = 0; at < data.length; at += chunker.block) {
    const block = data.subarray(at, at + chunker.block)
    if (!cutter.endsWith(block) && at + block.length < data.length) continue
    lengths.push(at + block.length - start)
    start = at + block.length
  }
  return lengths
}

test('chunks keep their limits and come near the average', () => {
  const lengths = lengthsOf(randomBytes(64 * 1024 * 1024))
  const whole = lengths.slice(0, -1)
  expect(Math.min(...whole)).toBeGreaterThanOrEqual(chunker.min)
  expect(Math.max(...lengths)).toBeLessThanOrEqual(chunker.max)
  const average = whole.reduce((sum, length) => sum + length, 0) / whole.length
  expect(average).toBeGreaterThan(48 * 1024)
  expect(average).toBeLessThan(96 * 1024)
})

test('data without any boundary is cut at the maximum', () => {
  const data = Buffer.alloc(3 * chunker.max + 1, 'disk')
  expect(lengthsOf(data)).toEqual([chunker.max, chunker.max, chunker.max, 1])
})

test('after an insertion the old boundaries are found again', () => {
  const data = randomBytes(8 * 1024 * 1024)
  const before = lengthsOf(data)
  const after = lengthsOf(Buffer.concat([randomBytes(5 * chunker.block), data]))
  const same = before.filter((length, index) => after.at(index - before.length) === length).length
  expect(same).toBeGreaterThan(before.length * 0.9)
})

test('cuts depend on nothing but the blocks since the last one', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 4 }), { maxLength: 80 }), (seeds) => {
      const blocks = seeds.map((seed) => Buffer.alloc(chunker.block, seed))
      const cutter = makeCutter()
      const first = blocks.map((block) => cutter.endsWith(block))
      cutter.restart()
      expect(blocks.map((block) => cutter.endsWith(block))).toEqual(first)
    }),
  )
})
