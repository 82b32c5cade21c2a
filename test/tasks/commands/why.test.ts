import { expect, test } from 'vitest'
import { renderExplanation } from '../../../tasks/commands/why.ts'

test('the reason, what changed, and what it was compared with', () => {
  const text = renderExplanation(
    {
      name: 'role:web',
      action: 'build',
      reason: 'preseed/a.cfg changed; package nginx added to apt step',
      changes: ['preseed/a.cfg changed', 'package nginx added to apt step'],
      previous: { key: '0123456789abcdef', started: 1000 },
      key: 'fedcba',
    },
    3_601_000,
  )
  expect(text).toBe(`role:web: build, preseed/a.cfg changed; package nginx added to apt step
  preseed/a.cfg changed
  package nginx added to apt step
compared with 0123456789ab, built 1 h 0 min ago
`)
})

test('nothing to compare with', () => {
  expect(renderExplanation({ name: 'role:web', action: 'reuse', reason: 'cached', changes: [] }, 0)).toBe(
    'role:web: reuse, cached\n',
  )
})
