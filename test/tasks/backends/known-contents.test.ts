import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openKnownContents, type PlacedFile } from '../../../tasks/backends/known-contents.ts'
import { tempFolder } from '../../rig/temp-folder.ts'

const own = [
  { start: 100, end: 200 },
  { start: 400, end: 500 },
]
const placed = (start: number, end: number, size = end - start): PlacedFile => ({
  size,
  extents: [{ at: 0, start, end }],
})

test('what lies below the overlay is computed once, what it touches each time', async () => {
  const disk = join(tempFolder({ 'disk.raw': 'a disk' }), 'disk.raw')
  const known = openKnownContents()
  let computed = 0
  const compute = (): string => `${computed++}`
  const below = await known.over(own, [disk])
  expect([placed(200, 400), placed(200, 400)].map((file) => below.digest(file, compute))).toEqual(['0', '0'])
  for (const [start, end] of [
    [0, 101],
    [199, 200],
    [120, 130],
    [0, 900],
    [499, 600],
  ]) {
    const file = placed(start!, end!)
    expect(below.digest(file, compute)).not.toBe(below.digest(file, compute))
  }
  // Elsewhere in the file, another size, another place: another file.
  const others = [
    placed(200, 400, 150),
    { ...placed(200, 400), extents: [{ at: 4096, start: 200, end: 400 }] },
  ]
  expect(new Set(others.map((file) => below.digest(file, compute))).size).toBe(2)
  expect((await known.over([], [disk])).digest(placed(200, 400), compute)).toBe('0')
})

test('of another disk below, or one that was written, nothing is known', async () => {
  const disk = join(tempFolder({ 'disk.raw': 'a disk' }), 'disk.raw')
  const known = openKnownContents()
  const ask = async (below: readonly string[], digest: string): Promise<string> =>
    (await known.over(own, below)).digest(placed(200, 400), () => digest)
  expect(await ask([disk], 'first')).toBe('first')
  expect(await ask([disk], 'again')).toBe('first')
  writeFileSync(disk, 'another one')
  expect(await ask([disk], 'second')).toBe('second')
  expect(await ask([], 'third')).toBe('third')
  expect(await ask([], 'fourth')).toBe('fourth')
})
