import { expect, test } from 'vitest'
import { matchPaths, parseIgnoreList } from '../../../tasks/diff/path-patterns.ts'

test('stars stay within a part, two of them do not', () => {
  const ignored = matchPaths([
    { pattern: '/etc/*.conf', reason: 'a' },
    { pattern: '/var/**', reason: 'b' },
    { pattern: '/x?y+(z)', reason: 'c' },
  ])
  expect(
    ['etc/a.conf', 'etc/d/a.conf', 'etc/aXconf', 'var/a/b', 'var', 'x1y+(z)'].map(
      (path) => ignored(path)?.reason,
    ),
  ).toEqual(['a', undefined, undefined, 'b', undefined, 'c'])
})

test('a list has a reason for everything', () => {
  expect(parseIgnoreList('# comment\n\n/etc/a  the hostname differs \n', 'compare.ignore')).toEqual([
    { pattern: '/etc/a', reason: 'the hostname differs', line: 3 },
  ])
  expect(() => parseIgnoreList('/etc/a\n', 'compare.ignore')).toThrow(
    expect.objectContaining({
      code: 'INPUT_INVALID',
      message: 'compare.ignore:1: /etc/a has no reason',
    }) as Error,
  )
  expect(() => parseIgnoreList('etc/a because\n', 'compare.ignore')).toThrow(
    expect.objectContaining({
      code: 'INPUT_INVALID',
      message: 'compare.ignore:1: etc/a is not an absolute path',
    }) as Error,
  )
})
