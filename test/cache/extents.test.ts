import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseExtents, subtractExtents, type Extent } from '../../cache/extents.ts'
import { resolveExtents } from '../../cache/resolve-extents.ts'

test('extents are widened to blocks, joined where they touch, and end with the file', () => {
  expect(parseExtents('512 1024\n5000 9000\n12288 13000\n40960 50000\nend\n', 45_000)).toEqual([
    { start: 0, end: 16384 },
    { start: 40960, end: 45_000 },
  ])
  expect(parseExtents('end\n', 100)).toEqual([])
  expect(parseExtents('200 300\nend\n', 100)).toEqual([{ start: 0, end: 100 }])
})

test('data of a real sparse file lies within what is said', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'img-extents-'))
  try {
    const file = await open(join(folder, "it's sparse"), 'w')
    await file.truncate(1024 ** 3)
    for (const at of [0, 300_000_000, 1024 ** 3 - 1]) await file.write('x', at)
    await file.close()
    const extents = await resolveExtents(join(folder, "it's sparse"), 1024 ** 3)
    for (const at of [0, 300_000_000, 1024 ** 3 - 1]) {
      expect(extents.filter(({ start, end }) => start <= at && at < end)).toHaveLength(1)
    }
    expect(extents.reduce((sum, { start, end }) => sum + end - start, 0)).toBeLessThanOrEqual(3 * 65536)
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('an empty file has none', async () => {
  expect(await resolveExtents('/nowhere', 0)).toEqual([])
})

test('a file perl cannot open is taken to be all data', async () => {
  expect(await resolveExtents('/nowhere', 5)).toEqual([{ start: 0, end: 5 }])
})

test('what is left of ranges without others', () => {
  expect(left([[0, 10]], [])).toEqual([[0, 10]])
  expect(left([[0, 10]], [[0, 10]])).toEqual([])
  expect(
    left(
      [
        [0, 10],
        [20, 30],
      ],
      [
        [2, 3],
        [5, 22],
        [29, 40],
      ],
    ),
  ).toEqual([
    [0, 2],
    [3, 5],
    [22, 29],
  ])
})

test('what is left is what a bitmap says is left', () => {
  const ranges = fc
    .uniqueArray(fc.integer({ min: 0, max: 60 }), { maxLength: 20 })
    .map((cuts) => cuts.toSorted((one, other) => one - other))
    .map((cuts) => cuts.flatMap((start, at) => (at % 2 === 0 ? [{ start, end: cuts[at + 1] ?? 61 }] : [])))
  fc.assert(
    fc.property(ranges, ranges, (extents, others) => {
      const wanted = bits(extents).map((is, at) => is && !bits(others)[at])
      expect(bits([...subtractExtents(extents, others)])).toEqual(wanted)
    }),
  )
})

const toExtents = (ranges: readonly (readonly [number, number])[]): readonly Extent[] =>
  ranges.map(([start, end]) => ({ start, end }))

const left = (
  from: readonly (readonly [number, number])[],
  others: readonly (readonly [number, number])[],
): readonly (readonly number[])[] =>
  [...subtractExtents(toExtents(from), toExtents(others))].map(({ start, end }) => [start, end])

const bits = (all: readonly Extent[]): readonly boolean[] =>
  Array.from({ length: 61 }, (_, at) => all.some(({ start, end }) => start <= at && at < end))
