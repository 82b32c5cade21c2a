import { randomBytes } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chunker } from '../../cache/cut.ts'
import {
  MapError,
  parseLeaf,
  parseRoot,
  renderLeaves,
  renderRoot,
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

const readBack = (leaves: readonly { start: number; bytes: Buffer }[], size: number): MapEntry[] =>
  leaves.flatMap(({ start, bytes }, number) =>
    parseLeaf(bytes, start, { end: leaves[number + 1]?.start ?? size, size }),
  )

const runs = fc.array(fc.record({ gap: fc.nat(2 ** 22), blocks: fc.integer({ min: 1, max: 64 }) }), {
  maxLength: 600,
})

test('leaves give back the entries they were made of', () => {
  fc.assert(
    fc.property(runs, (list) => {
      const { entries, size } = entriesOf(list)
      expect(readBack(renderLeaves(entries), size)).toEqual(entries)
    }),
    { numRuns: 50 },
  )
})

test('a last chunk may end with the file, between blocks', () => {
  const digest = randomBytes(32)
  const entries = [{ offset: 4096, length: 4097, digest }]
  expect(readBack(renderLeaves(entries), 8193)).toEqual(entries)
})

test('a changed chunk changes one leaf, and one more where it was a cut', () => {
  const { entries } = entriesOf(Array.from({ length: 20_000 }, () => ({ gap: 0, blocks: 16 })))
  const before = renderLeaves(entries).map(({ bytes }) => bytes.toString('latin1'))
  const changed = entries.with(10_000, { ...entries[10_000]!, digest: randomBytes(32) })
  const after = renderLeaves(changed).map(({ bytes }) => bytes.toString('latin1'))
  expect(before.length).toBeGreaterThan(30)
  expect(after.filter((bytes) => !before.includes(bytes)).length).toBeLessThanOrEqual(2)
})

test('a root gives back what it was made of', () => {
  const root = {
    size: 9000,
    leaves: [
      { start: 0, digest: randomBytes(32) },
      { start: 8192, digest: randomBytes(32) },
    ],
    cells: [randomBytes(32)],
  }
  expect(parseRoot(renderRoot(root))).toEqual({ ...root, chunker: chunker.id })
})

const digest = 'a'.repeat(64)
const rootText = (fields: object): Buffer =>
  Buffer.from(
    JSON.stringify({
      format: 'img map 1',
      chunker: 'aligned-crc32',
      size: 8192,
      leaves: [[0, digest]],
      ...fields,
    }),
  )

test.each([
  ['not JSON', Buffer.from('{'), 'is not JSON'],
  ['a list', Buffer.from('[]'), 'is not an object'],
  ['null', Buffer.from('null'), 'is not an object'],
  ['another format', rootText({ format: 'img map 2' }), 'has the format "img map 2"'],
  ['a negative size', rootText({ size: -1 }), 'is of a file of -1 bytes'],
  ['an exabyte', rootText({ size: 2 ** 60 }), `is of a file of ${2 ** 60} bytes`],
  ['a size that is text', rootText({ size: '1' }), 'is of a file of 1 bytes'],
  ['no leaves', rootText({ leaves: {} }), 'has no list of leaves'],
  ['leaves that are not pairs', rootText({ leaves: [null] }), 'has leaves out of order'],
  [
    'leaves out of order',
    rootText({
      leaves: [
        [4096, digest],
        [0, digest],
      ],
    }),
    'has leaves out of order',
  ],
  [
    'a leaf twice',
    rootText({
      leaves: [
        [0, digest],
        [0, digest],
      ],
    }),
    'has leaves out of order',
  ],
  ['a leaf behind the end', rootText({ leaves: [[8192, digest]] }), 'has leaves out of order'],
  ['a leaf without digest', rootText({ leaves: [[0, '../../../etc/passwd']] }), 'has a leaf without digest'],
  ['a root too large', Buffer.alloc(16 * 1024 * 1024 + 1, ' '), 'has a root of 16777217 bytes'],
])('a root with %s is refused', (_, bytes, message) => {
  expect(() => parseRoot(bytes)).toThrow(new MapError(message))
})

const limits = { end: 1024 * 1024, size: 1024 * 1024 }

describe('a leaf is refused', () => {
  const block = Buffer.from([0x80, 0x20])
  const hash = Buffer.alloc(32, 7)

  test.each([
    ['that is empty', leaf(), 'has an empty leaf'],
    ['that is too large', Buffer.alloc(65537), 'has a leaf of 65537 bytes'],
    ['that ends in a number', leaf(0x80), 'has a torn leaf'],
    ['that ends in a digest', leaf(0, block, hash.subarray(1)), 'has a torn leaf'],
    ['with a number without end', Buffer.alloc(100, 0xff), 'has a torn leaf'],
    ['with an empty chunk', leaf(0, 0, hash), 'has a chunk of 0 bytes at 0'],
    ['off the grid', leaf(1, block, hash), 'has a chunk of 4096 bytes at 1'],
    ['with a chunk too long', leaf(0, 0x80, 0xa0, 0x10, hash), 'has a chunk of 266240 bytes at 0'],
    [
      'with a chunk beyond its end',
      leaf(0x80, 0x80, 0x40, block, hash),
      'has a chunk of 4096 bytes at 1048576',
    ],
    ['with a short chunk inside', leaf(0, 5, hash), 'has a short chunk at 0'],
  ])('%s', (_, bytes, message) => {
    expect(() => parseLeaf(bytes, 0, limits)).toThrow(new MapError(message))
  })

  test('or parsed, whatever the bytes are', () => {
    const bytes = fc.uint8Array({ maxLength: 200 })
    fc.assert(
      fc.property(bytes, (some) => within(Buffer.from(some))),
      { numRuns: 2000 },
    )
    expect(fc.sample(bytes, 500).every((some) => within(Buffer.from(some)))).toBe(true)
  })
})

function leaf(...bytes: readonly (number | Buffer)[]): Buffer {
  return Buffer.concat(bytes.map((part) => (typeof part === 'number' ? Buffer.from([part]) : part)))
}

/** Parsed to what fits, or refused. */
function within(bytes: Buffer): boolean {
  try {
    return parseLeaf(bytes, 0, limits).every(({ offset, length }) => offset + length <= limits.end)
  } catch (cause) {
    return cause instanceof MapError
  }
}
