import { expect, test } from 'vitest'
import { renderExplanation } from '../../../tasks/commands/why.ts'

const changes = ['preseed/a.cfg changed', 'package nginx added to apt step']

test('what changed, and what it was compared with', () => {
  const text = renderExplanation(
    {
      name: 'role:web',
      action: 'build',
      reason: 'preseed/a.cfg changed; package nginx added to apt step',
      changes,
      previous: { key: '0123456789abcdef', started: 1000, because: ['never built'] },
      key: 'fedcba',
    },
    3_601_000,
  )
  expect(text).toBe(`role:web: build, compared with 0123456789ab, built 1 h 0 min ago, because
  preseed/a.cfg changed
  package nginx added to apt step
`)
})

test('of a layer that is up to date, why it was built', () => {
  const text = renderExplanation(
    {
      name: 'role:web',
      action: 'reuse',
      reason: 'cached',
      changes: [],
      previous: { key: '0123456789abcdef', started: 1000, because: changes },
    },
    61_000,
  )
  expect(text).toBe(`role:web: reuse, cached
0123456789ab was built 1 min 0 s ago, because
  preseed/a.cfg changed
  package nginx added to apt step
`)
})

test('nothing to compare with', () => {
  expect(renderExplanation({ name: 'role:web', action: 'reuse', reason: 'cached', changes: [] }, 0)).toBe(
    'role:web: reuse, cached\n',
  )
})
