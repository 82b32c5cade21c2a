import { randomBytes } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chunker } from '../../cache/cut.ts'
import {
  MapError,
  parseLeaf,
  parsePlaces,
  parseRoot,
  renderLists,
  renderRoot,
  sortEntries,
  type MapEntry,
} from '../../cache/map-format.ts'

const entriesOf = (
  runs: readonly { gap: number; blocks: number }[],
): { entries: MapEntry[]; size: number } => {
  let end = 0
  const entries = runs.map(({ gap, blocks }) => {
    const offset = end + gap * 4096
    end = offset + blocks * 4096
    return { offset, length: blocks * 4096, digest: randomBytes(32) }
  })
  return { entries, size: end }
}

const readBack = ({ leaves, places }: ReturnType<typeof renderLists>, size: number): MapEntry[] => {
  const counted = leaves.map(({ count }) => ({ count, digest: randomBytes(32) }))
  const steps = parsePlaces(places, counted)
  return leaves.flatMap(({ bytes }, number) => parseLeaf(bytes, { steps: steps[number]!, size }))
}

const runs = fc.array(fc.record({ gap: fc.nat(2 ** 22), blocks: fc.integer({ min: 1, max: 64 }) }), {
  maxLength: 600,
})

test('lists give back the entries they were made of, in whatever order', () => {
  fc.assert(
    fc.property(runs, fc.infiniteStream(fc.nat()), (list, random) => {
      const { entries, size } = entriesOf(list)
      const mixed = entries
        .map((entry) => ({ entry, rank: random.next().value }))
        .toSorted((one, other) => one.rank - other.rank)
        .map(({ entry }) => entry)
      expect(readBack(renderLists(mixed), size)).toEqual(mixed)
      expect(sortEntries(mixed)).toEqual(entries)
    }),
    { numRuns: 50 },
  )
})

test('places of many chunks are cut into pieces that are chunks', () => {
  const { entries, size } = entriesOf(Array.from({ length: 150_000 }, () => ({ gap: 200, blocks: 1 })))
  const lists = renderLists(entries.toReversed())
  expect(lists.places.map(({ length }) => length)).toEqual([262144, expect.any(Number)])
  const offsets = readBack(lists, size).map(({ offset }) => offset)
  expect(offsets.join()).toBe(
    entries
      .map(({ offset }) => offset)
      .toReversed()
      .join(),
  )
})

test('the last chunk of a file may end with it, between blocks', () => {
  const entries = [
    { offset: 4096, length: 4097, digest: randomBytes(32) },
    { offset: 0, length: 4096, digest: randomBytes(32) },
  ]
  expect(readBack(renderLists(entries), 8193)).toEqual(entries)
})

const latin = ({ bytes }: { readonly bytes: Buffer }): string => bytes.toString('latin1')

test('a changed chunk changes one leaf, and one more where it was a cut', () => {
  const { entries } = entriesOf(Array.from({ length: 20_000 }, () => ({ gap: 0, blocks: 16 })))
  const before = renderLists(entries).leaves.map(latin)
  const changed = entries.with(10_000, { ...entries[10_000]!, digest: randomBytes(32) })
  const after = renderLists(changed).leaves.map(latin)
  expect(before.length).toBeGreaterThan(30)
  expect(after.filter((bytes) => !before.includes(bytes)).length).toBeLessThanOrEqual(2)
})

test('chunks that lie elsewhere change no leaf', () => {
  const { entries } = entriesOf(Array.from({ length: 5000 }, () => ({ gap: 0, blocks: 16 })))
  const moved = entries.map((entry, index) => ({ ...entry, offset: entry.offset + (index % 7) * 2 ** 30 }))
  expect(renderLists(moved).leaves).toEqual(renderLists(entries).leaves)
  expect(renderLists(moved).places).not.toEqual(renderLists(entries).places)
})

test('a root gives back what it was made of', () => {
  const root = {
    size: 9000,
    leaves: [
      { count: 1, digest: randomBytes(32) },
      { count: 2, digest: randomBytes(32) },
    ],
    places: [randomBytes(32)],
    cells: [randomBytes(32)],
  }
  expect(parseRoot(renderRoot(root))).toEqual({ ...root, chunker: chunker.id })
})

const digest = 'a'.repeat(64)
const rootText = (fields: object): Buffer =>
  Buffer.from(
    JSON.stringify({
      format: 'img map 2',
      chunker: 'aligned-crc32',
      size: 8192,
      leaves: [[1, digest]],
      places: [digest],
      cells: [],
      ...fields,
    }),
  )

test.each([
  ['not JSON', Buffer.from('{'), 'is not JSON'],
  ['a list', Buffer.from('[]'), 'is not an object'],
  ['null', Buffer.from('null'), 'is not an object'],
  ['another format', rootText({ format: 'img map 1' }), 'has the format "img map 1"'],
  ['a negative size', rootText({ size: -1 }), 'is of a file of -1 bytes'],
  ['an exabyte', rootText({ size: 2 ** 60 }), `is of a file of ${2 ** 60} bytes`],
  ['a size that is text', rootText({ size: '1' }), 'is of a file of 1 bytes'],
  ['no leaves', rootText({ leaves: {} }), 'has no list of leaves'],
  ['leaves that are not pairs', rootText({ leaves: [null] }), 'has a leaf of undefined chunks'],
  ['a leaf of nothing', rootText({ leaves: [[0, digest]] }), 'has a leaf of 0 chunks'],
  ['a leaf too long', rootText({ leaves: [[1025, digest]] }), 'has a leaf of 1025 chunks'],
  ['a leaf without digest', rootText({ leaves: [[1, '../../../etc/passwd']] }), 'has a leaf without digest'],
  ['more chunks than blocks', rootText({ leaves: [[3, digest]] }), 'has 3 chunks in 8192 bytes'],
  ['no places', rootText({ places: 1 }), 'has no list of places'],
  [
    'more places than its chunks need',
    rootText({ places: [digest, digest] }),
    'has places in 2 pieces for 1 chunks',
  ],
  ['cells that are no digests', rootText({ cells: ['x'] }), 'has no list of cells'],
  ['a root too large', Buffer.alloc(16 * 1024 * 1024 + 1, ' '), 'has a root of 16777217 bytes'],
])('a root with %s is refused', (_, bytes, message) => {
  expect(() => parseRoot(bytes)).toThrow(new MapError(message))
})

const size = 1024 * 1024

describe('a leaf is refused', () => {
  const block = Buffer.from([0x80, 0x20])
  const hash = Buffer.alloc(32, 7)

  test.each([
    ['that is too large', Buffer.alloc(65537), [0], 'has a leaf of 65537 bytes'],
    ['that is empty', bytesOf(), [0], 'has a torn leaf'],
    ['that ends in a number', bytesOf(0x80), [0], 'has a torn leaf'],
    ['that ends in a digest', bytesOf(block, hash.subarray(1)), [0], 'has a torn leaf'],
    ['with a number without end', Buffer.alloc(100, 0xff), [0], 'has a torn leaf'],
    ['with more than its places', bytesOf(block, hash, block, hash), [0], 'has a leaf of more than 1 chunks'],
    ['with an empty chunk', bytesOf(0, hash), [0], 'has a chunk of 0 bytes at 0'],
    ['with a chunk too long', bytesOf(0x80, 0xa0, 0x10, hash), [0], 'has a chunk of 266240 bytes at 0'],
    ['with a chunk beyond the end', bytesOf(block, hash), [256], 'has a chunk of 4096 bytes at 1048576'],
    ['with a chunk before the beginning', bytesOf(block, hash), [-1], 'has a chunk of 4096 bytes at -4096'],
    ['with a short chunk inside', bytesOf(5, hash), [0], 'has a short chunk at 0'],
  ])('%s', (...[, bytes, steps, message]) => {
    expect(() => parseLeaf(bytes, { steps, size })).toThrow(new MapError(message))
  })

  test('or parsed, whatever the bytes are', () => {
    const bytes = fc.uint8Array({ maxLength: 200 })
    const steps = fc.array(fc.integer({ min: -1000, max: 1000 }), { maxLength: 6 })
    fc.assert(
      fc.property(bytes, steps, (some, places) => fits(Buffer.from(some), places)),
      { numRuns: 2000 },
    )
    expect(fc.sample(bytes, 500).every((some) => fits(Buffer.from(some), [0, 1]))).toBe(true)
  })
})

test.each([
  ['too few', bytesOf(0), 'has a torn list of places'],
  ['a number without end', Buffer.alloc(100, 0xff), 'has a torn list of places'],
  ['too many', bytesOf(0, 0, 0), 'has more places than chunks'],
])('a list of places is refused with %s', (_, bytes, message) => {
  const leaves = [{ count: 2, digest: randomBytes(32) }]
  expect(() => parsePlaces([bytes], leaves)).toThrow(new MapError(message))
})

test('two chunks in one place are refused, whichever leaves they are in', () => {
  const entries = [8192, 20_480, 12_288].map((offset): MapEntry => ({
    offset,
    length: 8192,
    digest: randomBytes(32),
  }))
  expect(() => sortEntries(entries)).toThrow(new MapError('has two chunks at 12288'))
})

function bytesOf(...bytes: readonly (number | Buffer)[]): Buffer {
  return Buffer.concat(bytes.map((part) => (typeof part === 'number' ? Buffer.from([part]) : part)))
}

/** Parsed to what fits, or refused. */
function fits(bytes: Buffer, steps: readonly number[]): boolean {
  try {
    return parseLeaf(bytes, { steps, size }).every(
      ({ offset, length }) => offset >= 0 && offset + length <= size,
    )
  } catch (cause) {
    return cause instanceof MapError
  }
}
