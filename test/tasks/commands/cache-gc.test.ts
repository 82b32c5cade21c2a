import { expect, test } from 'vitest'
import { ImgError } from '../../../tasks/errors.ts'
import { cacheGc, type Collected, parseSize, renderCollection } from '../../../tasks/commands/cache-gc.ts'

const record = {
  key: 'a'.repeat(64),
  layer: 'base:trixie',
  started: 0,
  duration: 0,
  pinned: false,
  newestOfProject: false,
  packs: [],
}
const collection: Collected = {
  verdicts: [
    { record, keep: true, reason: 'pinned' },
    { record: { ...record, key: 'b'.repeat(64) }, keep: false, reason: 'as it is old' },
  ],
  removed: { packs: 1, bytes: 1024 },
  waiting: { packs: 2, bytes: 2048, processes: 1 },
  trees: [],
}

test('what was removed, and what waits', () => {
  expect(renderCollection(collection, { dryRun: false, explain: false })).toBe(
    'base:trixie  bbbbbbbbbbbb  removed: as it is old\n' +
      'removed 1 pack, 1.0 KiB\n' +
      '2 packs, 2.0 KiB, may still be read by what is running; the next gc removes them\n',
  )
})

test('a rehearsal with reasons', () => {
  const waiting = { packs: 0, bytes: 0, processes: 0 }
  expect(renderCollection({ ...collection, waiting }, { dryRun: true, explain: true })).toBe(
    'base:trixie  aaaaaaaaaaaa  kept: pinned\n' +
      'base:trixie  bbbbbbbbbbbb  would go: as it is old\n' +
      'would remove 1 pack, 1.0 KiB\n',
  )
})

test('tool trees are named as builds are', () => {
  const tree = { bytes: 350 * 1024 ** 2, keep: false, reason: 'no kept build uses it' }
  const trees = [
    { ...tree, tree: 'c'.repeat(64) },
    { ...tree, tree: `${'d'.repeat(64)}.incoming`, bytes: 0, reason: 'left by a process that was killed' },
    { ...tree, tree: 'e'.repeat(64), keep: true, reason: 'in use right now' },
  ]
  const waiting = { packs: 0, bytes: 0, processes: 0 }
  const all = { ...collection, verdicts: [], waiting, trees }
  expect(renderCollection(all, { dryRun: false, explain: false })).toBe(
    'tool tree  cccccccccccc  removed: no kept build uses it, 350 MiB\n' +
      'tool tree  dddddddddddd  removed: left by a process that was killed, 0 B\n' +
      'removed 1 pack, 1.0 KiB; 2 unpacked tool trees, 350 MiB\n',
  )
  expect(renderCollection(all, { dryRun: true, explain: true })).toContain(
    'tool tree  eeeeeeeeeeee  kept: in use right now, 350 MiB\n',
  )
})

test('sizes', () => {
  expect(['0', '1000', '2K', '1.5M', '20G', '1TiB', '3kb'].map(parseSize)).toEqual([
    0,
    1000,
    2048,
    1.5 * 1024 ** 2,
    20 * 1024 ** 3,
    1024 ** 4,
    3072,
  ])
})

test.each([
  ['--max-size much', '"much" is no size', 'give a number of bytes, or one with a unit: 500M, 20G'],
  ['--keep-last -1', '"-1" is no whole number', 'give 0 or more'],
])('%s is refused', (given, message, hint) => {
  const [flag, value] = given.split(' ') as [string, string]
  const option = cacheGc.options.find(({ flags }) => flags.startsWith(flag))!
  expect(() => option.parse!(value)).toThrow(new ImgError('USAGE', message, { hint }))
})
