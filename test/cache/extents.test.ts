import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parseExtents, resolveExtents } from '../../cache/extents.ts'

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
