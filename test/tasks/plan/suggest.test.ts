import { expect, test } from 'vitest'
import { suggest, suggestHint } from '../../../tasks/plan/suggest.ts'

const known = ['install:trixie', 'install:bookworm', 'base:trixie', 'role:ceph-node']

test.each([
  ['install:trixi', 'install:trixie'],
  ['instal:trixie', 'install:trixie'],
  ['Base:Trixie', 'base:trixie'],
  ['role:ceph-noed', 'role:ceph-node'],
  ['base:trixie', 'base:trixie'],
  ['ramdisk:x', undefined],
  ['', undefined],
  ['xyz', undefined],
])('%s means %s', (written, meant) => {
  expect(suggest(written, known)).toBe(meant)
})

test('the closest of several wins, the first of equals', () => {
  expect(suggest('abcdef', ['abcxyz', 'abcdeg', 'abcdeh'])).toBe('abcdeg')
})

test('a swap of neighbours is one edit', () => {
  expect(suggest('ab', ['ba'])).toBe('ba')
  expect(suggest('ab', ['cd'])).toBeUndefined()
})

test.each([
  ['fro', ['from'], 'did you mean from?'],
  ['xyz', ['from', 'to'], 'options: from, to'],
  ['xyz', [], 'there are no options'],
])('hint for %s among %j', (written, names, hint) => {
  expect(suggestHint(written, names, 'options')).toBe(hint)
})

test('a long list is cut', () => {
  const many = Array.from({ length: 15 }, (_, index) => `layer:number-${index}`)
  expect(suggestHint('xyz', many, 'layers')).toBe(`layers: ${many.slice(0, 12).join(', ')} and 3 more`)
})
