import { expect, test } from 'vitest'
import { renderRepairs } from '../../../tasks/commands/cache-repair.ts'

test('what became of the damage', () => {
  const damage = { kind: 'pack', name: 'abc', problem: 'has damaged bytes' } as const
  expect(renderRepairs([])).toBe('no damage found\n')
  expect(renderRepairs([{ ...damage, outcome: 'healed' }])).toBe('pack abc has damaged bytes: healed\n')
  expect(renderRepairs([{ ...damage, outcome: 'put aside' }])).toBe(
    'pack abc has damaged bytes: put aside\nwhat was put aside is a miss, and the next build makes it again\n',
  )
})
