import { expect, test } from 'vitest'
import { diskBytes, isDiskSize } from '../../recipes/disk-size.ts'

test.each([
  ['900M', 900 * 1024 ** 2],
  ['4G', 4 * 1024 ** 3],
  ['2T', 2 * 1024 ** 4],
])('%s', (size, bytes) => {
  expect(isDiskSize(size)).toBeUndefined()
  expect(diskBytes(size)).toBe(bytes)
})

test.each(['', '4', '0G', '4g', '4GB', '-4G', '1.5G', 4])('%j is no size', (size) => {
  expect(isDiskSize(size)).toBe("not a size such as '4G' or '900M'")
})
