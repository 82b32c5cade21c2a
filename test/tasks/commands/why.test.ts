import { expect, test } from 'vitest'
import { renderExplanation } from '../../../tasks/commands/why.ts'

/** Nothing stands on it, and no change was followed anywhere. */
const alone = { chain: [], downstream: { layers: [], ms: 0 } } as const

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
      ...alone,
    },
    3_601_000,
  )
  expect(text).toBe(`role:web: build; since 0123456789ab, built 1 h 0 min ago:
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
      ...alone,
    },
    61_000,
  )
  expect(text).toBe(`role:web: reuse, cached
built 1 min 0 s ago as 0123456789ab, because:
  preseed/a.cfg changed
  package nginx added to apt step
`)
})

test('of a layer that was built once, that', () => {
  const text = renderExplanation(
    {
      name: 'role:web',
      action: 'reuse',
      reason: 'cached',
      changes: [],
      previous: { key: '0123456789abcdef', started: 1000, because: ['never built'] },
      ...alone,
    },
    61_000,
  )
  expect(text).toBe('role:web: reuse, cached\nbuilt 1 min 0 s ago as 0123456789ab, for the first time\n')
})

test('a file name cannot move the cursor', () => {
  const text = renderExplanation(
    { name: 'role:web', action: 'build', reason: '', changes: ['a\u001b[2J changed'], ...alone },
    0,
  )
  expect(text).toBe('role:web: build, because:\n  a\\x1b[2J changed\n')
})

test('nothing to compare with', () => {
  const explanation = { name: 'role:web', action: 'reuse', reason: 'cached', changes: [], ...alone } as const
  expect(renderExplanation(explanation, 0)).toBe('role:web: reuse, cached\n')
})

test('through a parent to the line and the commit, and what it costs above', () => {
  const text = renderExplanation(
    {
      name: 'role:web',
      action: 'build',
      reason: 'parent base:a has other content',
      changes: ['parent base:a has other content'],
      chain: [
        { layer: 'role:web', change: 'parent base:a has other content' },
        {
          layer: 'base:a',
          change: 'catalog: File[/etc/motd] content changed',
          at: 'puppet/manifests/site.pp:12',
          commit: { commit: '0123abcde', author: 'Ada', date: '2026-11-22', summary: 'motd: greet' },
        },
        {
          layer: 'base:a',
          change: 'files/a changed',
          at: 'files/a',
          commit: { summary: 'not committed yet' },
        },
      ],
      downstream: { layers: ['template:web', 'vagrant:web'], ms: 61_000 },
    },
    0,
  )
  expect(text).toBe(`role:web: build, because:
  parent base:a has other content
from
  base:a: catalog: File[/etc/motd] content changed
    at puppet/manifests/site.pp:12, commit 0123abcde of 2026-11-22 by Ada: motd: greet
  base:a: files/a changed
    at files/a, not committed yet
if its content changes, 2 layers are built again, 1 min 1 s of work when they were built last: template:web, vagrant:web
`)
})

test('against another build', () => {
  const against = { layer: 'role:web', key: 'fedcba9876543210', started: 1000 }
  const about = { name: 'role:web', action: 'reuse', reason: 'cached', ...alone, against } as const
  expect(renderExplanation({ ...about, changes }, 0)).toBe(`role:web differs from role:web fedcba987654 in:
  preseed/a.cfg changed
  package nginx added to apt step
`)
  expect(renderExplanation({ ...about, changes: [] }, 0)).toBe(
    'role:web: nothing that is in the key differs from role:web fedcba987654\n',
  )
})

test('against a build of a remote: who built it and when', () => {
  const from = { remote: 's3://images', namespace: 'main', signer: 'ci' }
  const against = { layer: 'role:web', key: 'fedcba9876543210', started: 1000, from }
  const about = { name: 'role:web', action: 'reuse', reason: 'cached', ...alone, against } as const
  expect(renderExplanation({ ...about, changes }, 61_000))
    .toBe(`role:web differs from role:web fedcba987654, built 1 min 0 s ago by ci (main in s3://images), in:
  preseed/a.cfg changed
  package nginx added to apt step
`)
  expect(renderExplanation({ ...about, changes: [] }, 61_000)).toBe(
    'role:web: nothing that is in the key differs from role:web fedcba987654, built 1 min 0 s ago by ci (main in s3://images)\n',
  )
})
