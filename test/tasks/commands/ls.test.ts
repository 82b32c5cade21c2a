import { expect, test } from 'vitest'
import { renderList } from '../../../tasks/commands/ls.ts'

test('state, size and age', () => {
  expect(
    renderList(
      [
        { name: 'install:a', state: 'current', bytes: 350 * 1024 * 1024, started: 0, key: 'k' },
        { name: 'base:a', state: 'stale', bytes: 0, started: 86_400_000 },
        { name: 'role:web', state: 'missing' },
      ],
      90_000_000,
    ),
  ).toBe(`layer      state    size     built
install:a  current  350 MiB  1 d 1 h ago
base:a     stale    0 B      1 h 0 min ago
role:web   missing  -        -
`)
})
