import { expect, test } from 'vitest'
import { files, type FilesOptions } from '../../recipes/files.ts'
import { stepsOf } from './steps-of.ts'

test('lays a folder into the image', () => {
  expect(stepsOf(files({ from: 'overlay', to: '/' }))).toEqual({
    name: 'files',
    mode: 'chroot',
    parent: 'required',
    inputs: { files: { kind: 'files', base: 'overlay', patterns: ['**'] } },
    steps: [{ do: 'copy', input: 'files', to: '/' }],
  })
})

test('with patterns and an owner', () => {
  const recipe = files({
    from: 'site',
    to: '/srv/www',
    patterns: ['*.html', '!x.html'],
    owner: 'www-data',
    group: '33',
  })
  expect(stepsOf(recipe)).toMatchObject({
    inputs: { files: { patterns: ['*.html', '!x.html'] } },
    steps: [{ do: 'copy', input: 'files', to: '/srv/www', owner: 'www-data', group: '33' }],
  })
})

test.each([
  [{ from: 'overlay' }, 'files: the option "to" is missing'],
  [{ from: 'overlay', to: 'etc' }, 'files: "to" is "etc", not an absolute path'],
  [
    { from: 'overlay', to: '/', owner: 'a b' },
    'files: "owner" is "a b", not the name or number of an account',
  ],
])('%j is refused', (options, message) => {
  expect(() => files(options as FilesOptions)).toThrow(expect.objectContaining({ message }))
})
