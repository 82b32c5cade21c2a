import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { diffLines } from '../../../tasks/diff/text-diff.ts'

test('only lines that differ, with the place of each group', () => {
  expect(diffLines('a\nb\nc\nd\ne\nf\n', 'a\nB\nc\nd\ne\nf\ng\n')).toEqual([
    '@@ line 2',
    '-b',
    '+B',
    '@@ line 7',
    '+g',
  ])
  expect(diffLines('same\n', 'same\n')).toEqual([])
  expect(diffLines('', 'new\n')).toEqual(['@@ line 1', '+new'])
})

const lines = (word: string): string => Array.from({ length: 500 }, (_, at) => `${word} ${at}\n`).join('')

test('texts with too little in common are none of its business', () => {
  expect(diffLines(lines('one'), lines('other'))).toBeUndefined()
})

const count = (all: readonly string[], line: string): number => all.filter((one) => one === line).length

test('what it removes and adds is the difference of the two, line by line', () => {
  const text = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 12 })
  fc.assert(
    fc.property(text, text, (before, after) => {
      const edits = diffLines(
        before.map((line) => `${line}\n`).join(''),
        after.map((line) => `${line}\n`).join(''),
      )
      const changed = (sign: string): string[] =>
        (edits ?? []).filter((edit) => edit.startsWith(sign)).map((edit) => edit.slice(1))
      for (const line of ['a', 'b', 'c', 'd']) {
        expect(count(before, line) - count(changed('-'), line) + count(changed('+'), line)).toBe(
          count(after, line),
        )
      }
    }),
  )
})
