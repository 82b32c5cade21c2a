import { expect, test } from 'vitest'
import { apt, type AptOptions } from '../../recipes/apt.ts'
import { defaultTools } from '../../recipes/tools.ts'
import { stepsOf } from './steps-of.ts'

test('installs and removes from the locked repositories', () => {
  const recipe = apt({ suite: 'trixie', install: ['nginx'], remove: ['nano'] })
  expect(recipe.tools).toBe(defaultTools)
  expect(stepsOf(recipe)).toEqual({
    name: 'apt',
    mode: 'chroot',
    parent: 'required',
    inputs: {
      apt: {
        kind: 'apt',
        suite: 'trixie',
        components: ['main', 'non-free-firmware'],
        updates: true,
        security: true,
      },
    },
    steps: [{ do: 'apt', apt: 'apt', install: ['nginx'], remove: ['nano'], recommends: false }],
  })
})

test.each([
  [{ install: ['nginx'] }, 'apt: the option "suite" is missing'],
  [
    { suite: 'trixie', install: ['--purge'] },
    'apt: "install" is ["--purge"], whose item 0 is "--purge", not a package name',
  ],
  [{ suite: 'trixie', instal: ['nginx'] }, 'apt: unknown option "instal"'],
])('%j is refused', (options, message) => {
  expect(() => apt(options as AptOptions)).toThrow(expect.objectContaining({ message }))
})
