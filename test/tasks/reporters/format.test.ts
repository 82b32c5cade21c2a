import { expect, test } from 'vitest'
import { formatBytes, formatDuration, formatTable } from '../../../tasks/reporters/format.ts'

test.each([
  [0, '0 ms'],
  [999.4, '999 ms'],
  [999.6, '1.0 s'],
  [1000, '1.0 s'],
  [9949, '9.9 s'],
  [9960, '10 s'],
  [41_500, '42 s'],
  [59_499, '59 s'],
  [59_999, '1 min 0 s'],
  [60_000, '1 min 0 s'],
  [3_599_999, '1 h 0 min'],
  [3_599_000, '59 min 59 s'],
  [3_600_000, '1 h 0 min'],
  [86_400_000, '1 d 0 h'],
  [90_000_000, '1 d 1 h'],
])('%d ms is %s', (ms, text) => expect(formatDuration(ms)).toBe(text))

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.0 KiB'],
  [335 * 1024 * 1024, '335 MiB'],
  [4 * 1024 ** 3, '4.0 GiB'],
  [2 ** 60, '1024 PiB'],
])('%d bytes are %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text))

test('a table has its columns two apart, and no spaces at the end of a line', () => {
  expect(formatTable([['a', 'bbb', 'c'], ['aaaa', 'b', ''], ['x']])).toBe('a     bbb  c\naaaa  b\nx\n')
  expect(formatTable([])).toBe('')
})

test('in a terminal the last column is broken at blanks, below itself or, in a narrow one, below the others', () => {
  const rows = [
    ['role:web', 'waits for base:web, tools:trixie; never built'],
    ['b', 'cached'],
  ]
  expect(formatTable(rows, 50)).toBe(`role:web  waits for base:web, tools:trixie; never
          built
b         cached
`)
  expect(formatTable(rows, 30)).toBe(`role:web
    waits for base:web,
    tools:trixie; never built
b         cached
`)
})
