import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalJson } from '../../../tasks/plan/canonical.ts'
import { errorOf } from './sample.ts'

test.each([
  [{ b: 1, a: [true, null, 'x'] }, '{"a":[true,null,"x"],"b":1}'],
  [{}, '{}'],
  [[], '[]'],
  ['€\u{1f600}\n"\\\u0007', '"€\u{1f600}\\n\\"\\\\\\u0007"'],
  // RFC 8785, 3.2.2.3
  [
    [Number('333333333.33333329'), 1e30, 4.5, 2e-3, 0.000000000000000000000000001, -0],
    '[333333333.3333333,1e+30,4.5,0.002,1e-27,0]',
  ],
  [Object.create(null), '{}'],
])('%j is written %s', (value, text) => {
  expect(canonicalJson(value)).toBe(text)
})

test('keys are ordered by UTF-16 code unit, RFC 8785 3.2.3', () => {
  const value = {
    '\u20ac': 'Euro Sign',
    '\r': 'Carriage Return',
    '\ufb33': 'Hebrew Letter Dalet With Dagesh',
    '1': 'One',
    '\u{1f600}': 'Emoji: Grinning Face',
    '\u0080': 'Control',
    '\u00f6': 'Latin Small Letter O With Diaeresis',
  }
  expect(Object.values(JSON.parse(canonicalJson(value)) as object)).toEqual([
    'One',
    'Carriage Return',
    'Control',
    'Latin Small Letter O With Diaeresis',
    'Euro Sign',
    'Emoji: Grinning Face',
    'Hebrew Letter Dalet With Dagesh',
  ])
})

const circle: { inside?: unknown } = {}
circle.inside = circle
const hint =
  'steps hold text, finite numbers, true, false, null, arrays and plain objects; leave out what is not set'

test.each([
  [{ a: [1, undefined] }, 'a[1]', 'undefined'],
  // eslint-disable-next-line no-sparse-arrays
  [[1, , 3], '[1]', 'undefined'],
  [{ a: { b: Number.NaN } }, 'a.b', 'NaN'],
  [-Infinity, 'the value', '-Infinity'],
  [{ a: () => 1 }, 'a', 'a function'],
  [{ a: 1n }, 'a', 'a bigint'],
  [[Symbol('x')], '[0]', 'a symbol'],
  [{ a: new Date(0) }, 'a', 'an object of class Date'],
  [{ a: new Map() }, 'a', 'an object of class Map'],
  [{ a: Buffer.from('x') }, 'a', 'an object of class Buffer'],
  [{ a: '\ud800' }, 'a', 'text that is not valid Unicode (half a surrogate pair)'],
  [{ '\udc00': 1 }, 'the value', 'text that is not valid Unicode (half a surrogate pair)'],
  [circle, 'inside'.concat('.inside'.repeat(499)), 'something nested deeper than 500 levels'],
])('refused: case %#', (value, where, found) => {
  expect(errorOf(() => canonicalJson(value))).toEqual({
    code: 'OPTION_INVALID',
    message: `${where} is ${found}, which cannot be in a key`,
    hint,
    found,
  })
})

test('property: the text is JSON of the value, and equal values in another order have equal texts', () => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
      fc.pre(!/\p{Surrogate}/u.test(JSON.stringify(value)))
      const text = canonicalJson(value)
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)))
      expect(canonicalJson(backwards(value))).toBe(text)
    }),
  )
})

function backwards(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(backwards)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, inner]) => [key, backwards(inner)]),
  )
}
