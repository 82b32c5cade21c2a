import { isIP } from 'node:net'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { ipFamily } from '../../preseed/ip-address.ts'

test.each([
  ['192.0.2.7', 4],
  ['192.0.2.256', 0],
  ['192.0.2', 0],
  ['192.0.02.7', 0],
  ['::', 6],
  ['2001:db8::1', 6],
  ['::ffff:192.0.2.7', 6],
  ['1:2:3:4:5:6:7:8', 6],
  ['1:2:3:4:5:6:7::', 6],
  ['1:2:3:4:5:6:7:8::', 0],
  ['192.0.2.7::', 0],
  ['1::2::3', 0],
  ['fe80::1%eth0', 0],
  ['', 0],
])('%s', (text, family) => expect(ipFamily(text)).toBe(family))

test('the same as Node says', () => {
  const part = fc.oneof(
    fc.constantFrom(':', '::', '.', '0', '00', '255', '256', 'ffff', 'fffff', 'g'),
    fc.nat(70_000).map((number) => number.toString(16)),
  )
  const almost = fc.array(part, { maxLength: 16 }).map((parts) => parts.join(''))
  const groups = fc
    .tuple(fc.array(fc.nat(65_535), { maxLength: 9 }), fc.nat(9), fc.option(fc.ipV4(), { nil: undefined }))
    .map(([numbers, at, ending]) => {
      const words = [
        ...numbers.map((number) => number.toString(16)),
        ...(ending === undefined ? [] : [ending]),
      ]
      return `${words.slice(0, at).join(':')}${at < words.length ? '::' : ''}${words.slice(at).join(':')}`
    })
  const text = fc.oneof(almost, groups, fc.ipV4(), fc.ipV6(), fc.ipV4Extended())
  fc.assert(
    fc.property(text, (address) => {
      expect([address, ipFamily(address)]).toEqual([address, isIP(address)])
    }),
    { numRuns: 5000 },
  )
})
