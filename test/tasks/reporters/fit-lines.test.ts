import { expect, test } from 'vitest'
import { fitLines } from '../../../tasks/reporters/fit-lines.ts'

test('a long line goes on four further in, names stay whole, and short ones stay as they are', () => {
  const text = 'short line\n  known: install:trixie, base:trixie, role:ceph-node\n'
  expect(fitLines(text, 30)).toBe(
    'short line\n  known: install:trixie,\n      base:trixie,\n      role:ceph-node\n',
  )
})

test('a word longer than the terminal stands alone', () => {
  expect(fitLines('see /a/very/long/path/of/a/file here', 12)).toBe(
    'see\n    /a/very/long/path/of/a/file\n    here',
  )
})

test('output of others, and what goes to a file, stays as it is', () => {
  const output = '    | E: Unable to locate package nginxx\nrole:web | Get:1 a long line of apt'
  expect(fitLines(output, 20)).toBe(output)
  expect(fitLines('one two three', undefined)).toBe('one two three')
})
