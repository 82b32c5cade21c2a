import { expect, test } from 'vitest'
import { cacheVerify, renderProblems } from '../../../tasks/commands/cache-verify.ts'
import { ImgError } from '../../../tasks/errors.ts'

test('no damage', () => expect(renderProblems([])).toBe('no damage found\n'))

test('each problem is a line', () => {
  const pack = { kind: 'pack', name: 'ab', problem: 'has damaged bytes' } as const
  const rest = 'what is damaged is a miss, and the next build makes it again\n'
  expect(renderProblems([pack])).toBe(`pack ab has damaged bytes\n1 problem; ${rest}`)
  expect(renderProblems([pack, { kind: 'map', name: 'cd', problem: 'is missing' }])).toBe(
    `pack ab has damaged bytes\nmap cd is missing\n2 problems; ${rest}`,
  )
})

test('shares of the data are percentages', () => {
  const { parse } = cacheVerify.options.find(({ flags }) => flags.startsWith('--sample'))!
  expect(['5', '5%', '0.5', '100'].map((text) => parse!(text))).toEqual([0.05, 0.05, 0.005, 1])
  const refused = new ImgError('USAGE', '"101" is no percentage', { hint: 'give a number from 0 to 100' })
  expect(() => parse!('101')).toThrow(refused)
})
