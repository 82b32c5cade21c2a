import { expect, test } from 'vitest'
import { makeCutHints, orderByFile } from '../../cache/cut-hints.ts'

const kib = 1024

/** Offsets at which a chunk must begin, asked block by block. */
function begins(pieces: Parameters<typeof makeCutHints>[0], end: number): readonly number[] {
  const hints = makeCutHints(pieces)
  const found: number[] = []
  for (let offset = 0; offset < end; offset += 4096) if (hints.at(offset).begins) found.push(offset / kib)
  return found
}

test('chunks begin with a file, behind it, and every 256 KiB of it', () => {
  const piece = { start: 40 * kib, end: 640 * kib, logical: 0 }
  expect(begins([piece], 1024 * kib)).toEqual([40, 296, 552, 640])
})

test('the pieces of a file are cut at the same places of the file', () => {
  const rest = { start: 400 * kib, end: 800 * kib, logical: 200 * kib }
  expect(begins([rest], 1024 * kib)).toEqual([400, 456, 712, 800])
})

test('neighbours share a boundary, and gaps may be jumped over', () => {
  const pieces = [
    { start: 0, end: 8 * kib, logical: 0 },
    { start: 8 * kib, end: 12 * kib, logical: 0 },
    { start: 20 * kib, end: 24 * kib, logical: 0 },
  ]
  expect(begins(pieces, 32 * kib)).toEqual([0, 8, 12, 20, 24])
  const hints = makeCutHints(pieces)
  expect(hints.at(16 * kib)).toEqual({ begins: false, inFile: false })
  expect(hints.at(20 * kib)).toEqual({ begins: true, inFile: true })
})

test('chunks go by their file and place in it, wherever the blocks are; what is in no file comes last', () => {
  const pieces = [
    { start: 4 * kib, end: 12 * kib, logical: 8 * kib, rank: 2 },
    { start: 12 * kib, end: 20 * kib, logical: 0, rank: 0 },
    { start: 32 * kib, end: 40 * kib, logical: 0, rank: 1 },
  ]
  const chunks = [0, 4, 8, 12, 16, 20, 32, 36, 40].map((at) => ({ offset: at * kib }))
  const ordered = orderByFile(chunks, pieces).map(({ offset }) => offset / kib)
  expect(ordered).toEqual([12, 16, 32, 36, 4, 8, 0, 20, 40])
  expect(orderByFile(chunks, [])).toEqual(chunks)
})
