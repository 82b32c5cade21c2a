import { expect, test } from 'vitest'
import { renderProblems } from '../../../tasks/commands/cache-verify.ts'

test('no damage', () => expect(renderProblems([])).toBe('no damage found\n'))

test('each problem is a line', () => {
  const pack = { kind: 'pack', name: 'ab', problem: 'has damaged bytes' } as const
  const rest = 'what is damaged is a miss, and the next build makes it again\n'
  expect(renderProblems([pack])).toBe(`pack ab has damaged bytes\n1 problem; ${rest}`)
  expect(renderProblems([pack, { kind: 'map', name: 'cd', problem: 'is missing' }])).toBe(
    `pack ab has damaged bytes\nmap cd is missing\n2 problems; ${rest}`,
  )
})
