import { expect, test } from 'vitest'
import { matchPaths } from '../../../tasks/diff/path-patterns.ts'

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
