import { expect, test } from 'vitest'
import { script } from '../../recipes/script.ts'
import { stepsOf } from './steps-of.ts'

const nothing = async (): Promise<void> => {}

test('a function and the files it reads', () => {
  expect(stepsOf(script(nothing, { suite: 'trixie', inputs: { data: ['*.json'] } }))).toEqual({
    name: 'script',
    mode: 'chroot',
    parent: 'required',
    inputs: {
      script: { kind: 'script', run: nothing },
      'files data': { kind: 'files', base: 'data', patterns: ['*.json'] },
      apt: {
        kind: 'apt',
        suite: 'trixie',
        components: ['main', 'non-free-firmware'],
        updates: true,
        security: true,
      },
    },
    steps: [{ do: 'script', input: 'script', apt: 'apt' }],
  })
})

test('without anything else', () => {
  expect(stepsOf(script(nothing)).steps).toEqual([{ do: 'script', input: 'script' }])
})

test.each([
  ['echo', undefined, 'script: the first argument is a string, not a function'],
  [
    nothing,
    { inputs: { data: '*.json' } },
    'script: "inputs" is {"data":"*.json"}, where data has no list of patterns',
  ],
  [nothing, { input: {} }, 'script: unknown option "input"'],
])('%j with %j is refused', (run, options, message) => {
  expect(() => script(run as never, options as never)).toThrow(expect.objectContaining({ message }))
})
