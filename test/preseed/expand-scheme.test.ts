import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { expandScheme } from '../../preseed/expand-scheme.ts'
import type { SchemePartition } from '../../preseed/partition-scheme.ts'

const scheme = (...triples: readonly (readonly [number, number, number])[]): readonly SchemePartition[] =>
  triples.map(([min, priority, max]) => ({ min, priority, max, filesystem: 'ext4', fields: new Map() }))

test.each([
  ['one without limit takes all', scheme([500, 1000, -1]), 4000, [4000]],
  ['equal weights share the rest', scheme([100, 200, -1], [300, 400, -1]), 1400, [600, 800]],
  ['what one may not have the other gets', scheme([100, 200, 150], [300, 400, -1]), 1400, [150, 1250]],
  ['priority at the minimum does not grow', scheme([100, 100, -1], [300, 400, -1]), 1400, [100, 1300]],
  ['nobody grows when nobody wants to', scheme([100, 100, -1]), 1400, [100]],
])('%s', (...[, partitions, free, sizes]) => {
  expect(expandScheme(partitions, free)).toEqual(sizes)
})

test('everybody gets the minimum, nobody more than the maximum, all together no more than there is', () => {
  const triple = fc
    .tuple(fc.nat(2000), fc.nat(9000), fc.nat(9000))
    .map(([min, more, limit]) => [min, min + more, limit < 500 ? -1 : min + limit] as const)
  fc.assert(
    fc.property(fc.array(triple, { minLength: 1, maxLength: 8 }), fc.nat(50_000), (triples, spare) => {
      const free = triples.reduce((sum, [min]) => sum + min, 0) + spare
      const sizes = expandScheme(scheme(...triples), free)
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(free)
      for (const [index, [min, , max]] of triples.entries()) {
        expect(sizes[index]).toBeGreaterThanOrEqual(min)
        expect(sizes[index]).toBeLessThanOrEqual(max === -1 ? free : max)
      }
    }),
  )
})
