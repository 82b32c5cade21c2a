import { expect, test } from 'vitest'
import { scriptDigest, type ScriptSource } from '../../../tasks/run/script-source.ts'

const source: ScriptSource = {
  root: '/project',
  env: { SITE: 'a', OTHER: 'x' },
  closure: {
    files: [
      { path: '/project/imgfile.ts', digest: '1' },
      { path: '/project/lib/a.ts', digest: '2' },
    ],
    packages: { zod: '4.0.0' },
    env: ['SITE', 'UNSET'],
    outside: [],
  },
  place: 'role:web 0.script',
}

test('is the same in another checkout, whatever was imported first, with another environment beside', () => {
  const moved: ScriptSource = {
    ...source,
    root: '/elsewhere',
    env: { SITE: 'a', MORE: 'y' },
    closure: {
      ...source.closure,
      files: [
        { path: '/elsewhere/lib/a.ts', digest: '2' },
        { path: '/elsewhere/imgfile.ts', digest: '1' },
      ],
    },
  }
  expect(scriptDigest(moved)).toBe(scriptDigest(source))
})

test.each<[string, Partial<ScriptSource>]>([
  ['another function of the same imgfile', { place: 'role:web 1.script' }],
  [
    'an edited file',
    { closure: { ...source.closure, files: [{ path: '/project/imgfile.ts', digest: '3' }] } },
  ],
  ['another version of a package', { closure: { ...source.closure, packages: { zod: '4.0.1' } } }],
  ['another value of a variable it reads', { env: { SITE: 'b' } }],
  ['a variable that is set now', { env: { SITE: 'a', UNSET: '' } }],
])('%s has another digest', (_name, change) => {
  expect(scriptDigest({ ...source, ...change })).not.toBe(scriptDigest(source))
})
