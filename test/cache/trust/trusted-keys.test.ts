import { expect, test } from 'vitest'
import { isNamespace, parseTrustedKeys, renderTrustedKeys } from '../../../cache/trust/trusted-keys.ts'
import { ImgError } from '../../../tasks/errors.ts'
import { signingKey } from '../../rig/entry-keys.ts'

const ci = signingKey('ci', ['main'], { notAfter: Date.parse('2027-01-31') })
const alice = signingKey('alice', ['dev/alice'], { revoked: true })
const keys = { project: 'project-1', keys: [ci.trusted, alice.trusted] }
const file = renderTrustedKeys(keys)

test('a file says what was written', () => {
  const read = parseTrustedKeys(file, 'keys.json')
  expect(renderTrustedKeys(read)).toBe(file)
  expect(read.project).toBe('project-1')
  expect(
    read.keys.map(({ id, name, namespaces, notAfter, revoked }) => ({
      id,
      name,
      namespaces,
      notAfter,
      revoked,
    })),
  ).toEqual([
    { id: ci.own.id, name: 'ci', namespaces: ['main'], notAfter: Date.parse('2027-01-31'), revoked: false },
    { id: alice.own.id, name: 'alice', namespaces: ['dev/alice'], notAfter: undefined, revoked: true },
  ])
})

const first = { name: 'ci', public: ci.trusted.public, namespaces: ['main'] }
const withKeys = (...entries: unknown[]): string =>
  JSON.stringify({ format: 1, project: 'project-1', keys: entries })

test.each<[string, string, string, string]>([
  ['no object', '[]', 'is not an object', 'make one with `img keys create`'],
  [
    'a newer format',
    '{"format":2,"project":"project-1","keys":[]}',
    'has the format 2',
    'this img reads format 1',
  ],
  [
    'no project',
    '{"format":1,"keys":[]}',
    'has no project id',
    'a project id has 8 to 128 of A-Z a-z 0-9 . _ -',
  ],
  ['no keys', '{"format":1,"project":"project-1"}', 'has no list of keys', 'write "keys": []'],
  [
    'an unknown field',
    '{"format":1,"project":"project-1","kyes":[]}',
    'unknown field kyes',
    'did you mean keys?',
  ],
  [
    'an entry that is none',
    withKeys(1),
    'keys[0]: is not an object',
    'write { "name": …, "public": …, "namespaces": […] }',
  ],
  [
    'an unknown field of a key',
    withKeys({ ...first, namespace: 'x' }),
    'keys[0]: unknown field namespace',
    'did you mean namespaces?',
  ],
  [
    'a name',
    withKeys({ ...first, name: '../x' }),
    'keys[0]: has the name "../x"',
    'a name has up to 64 of A-Z a-z 0-9 . _ @ -',
  ],
  [
    'a key',
    withKeys({ ...first, public: 'AAAA' }),
    'keys[0]: public is no ed25519 key',
    'copy what `img keys create` printed',
  ],
  [
    'namespaces',
    withKeys({ ...first, namespaces: ['Main'] }),
    'keys[0]: has no valid namespaces',
    'for example ["main"] or ["dev/alice"]',
  ],
  [
    'no namespaces',
    withKeys({ ...first, namespaces: [] }),
    'keys[0]: has no valid namespaces',
    'for example ["main"] or ["dev/alice"]',
  ],
  [
    'a date',
    withKeys({ ...first, notAfter: '2026-13-01' }),
    'keys[0]: notAfter is "2026-13-01"',
    'write a day: 2027-01-31',
  ],
  [
    'revoked',
    withKeys({ ...first, revoked: 'yes' }),
    'keys[0]: revoked is neither true nor false',
    'write "revoked": true',
  ],
  [
    'a name twice',
    withKeys(first, { ...first, public: alice.trusted.public }),
    'keys[1]: there is another key ci',
    'give each its own name',
  ],
  [
    'a key twice',
    withKeys(first, { ...first, name: 'ci2' }),
    'keys[1]: the key of ci2 is there twice',
    'remove one of the two',
  ],
])('%s that cannot be is an error', (...[, text, message, hint]) => {
  const error = attempt(text)
  expect(error.code).toBe('INPUT_INVALID')
  expect(error.message).toBe(`keys.json: ${message}`)
  expect(error.fields).toMatchObject({ path: 'keys.json', hint })
})

test('what is not JSON says where', () => {
  expect(attempt('{').message).toMatch(/^keys\.json: is not JSON: /)
})

test.each(['main', 'dev/alice', 'pr/17', 'a-b_c'])('%s is a namespace', (name) => {
  expect(isNamespace(name)).toBe(true)
})

test.each(['', 'Main', '/main', 'main/', 'a/b/c', '..', 'a/..', 'a b', 'a'.repeat(33), 1, undefined])(
  '%j is no namespace',
  (name) => {
    expect(isNamespace(name)).toBe(false)
  },
)

function attempt(text: string): ImgError {
  try {
    parseTrustedKeys(text, 'keys.json')
  } catch (error) {
    if (error instanceof ImgError) return error
  }
  throw new Error('nothing was refused')
}
