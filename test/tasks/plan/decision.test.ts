import { expect, test } from 'vitest'
import { layer } from '../../../tasks/plan/declare.ts'
import { contentOf, type Decision, keyLayer, likelyContentOf } from '../../../tasks/plan/decision.ts'
import { layerOf, makeGraph } from '../../../tasks/plan/graph.ts'
import { computeKey } from '../../../tasks/plan/key.ts'
import type { Layer } from '../../../tasks/plan/recipe.ts'
import { sealSteps } from '../../../tasks/plan/seal.ts'
import { beginning, pastBuild, recipe, resolved, run } from './sample.ts'

const tools = layer('tools:trixie', beginning())
const install = layer('install:x', beginning({ tools }))
const base = (name: Layer['name'], from = install): Layer =>
  layer(
    name,
    recipe({
      tools,
      inputs: { a: { kind: 'env', name: 'A' }, b: { kind: 'text', path: 'b' } },
      does: [run('x')],
    }),
    { from },
  )
const inputs = {
  '0.a': resolved({ kind: 'env', digest: 'da', value: 'A' }),
  '0.b': resolved({ kind: 'text', digest: 'db', inKey: false, value: { path: 'b', content: 'B' } }),
}
const content = (treeDigest: string): { key: string; treeDigest: string } => ({
  key: `key-${treeDigest}`,
  treeDigest,
})
const parents = { 'install:x': content('i'), 'tools:trixie': content('t') }

test('a layer is keyed by phases, inputs in the key and tree digests', () => {
  const entry = layerOf(makeGraph({ layers: [base('base:x')] }), 'base:x')
  const keyed = keyLayer(entry, { arch: 'amd64', inputs, parents })
  const { key, record } = computeKey({
    arch: 'amd64',
    phases: [{ mode: 'chroot', tools: 'tools', steps: [run('x'), ...sealSteps()] }],
    inputs: { '0.a': 'da' },
    parents: { from: 'i', tools: 't' },
  })
  expect(keyed).toMatchObject({ name: 'base:x', key, keyRecord: record, inputs, parents })
})

test('names of layers and keys of parents are not in the key', () => {
  const other = layer('install:other', beginning({ tools }))
  const keys = [base('base:x'), base('role:y', other)].map((given) => {
    const entry = layerOf(makeGraph({ layers: [given] }), given.name)
    const from = entry.from as Layer['name']
    return keyLayer(entry, {
      arch: 'amd64',
      inputs,
      parents: { [from]: { key: given.name, treeDigest: 'i' }, 'tools:trixie': content('t') },
    }).key
  })
  expect(keys[0]).toBe(keys[1])
})

test('there is no key while a parent is unknown', () => {
  const entry = layerOf(makeGraph({ layers: [base('base:x')] }), 'base:x')
  expect(() => keyLayer(entry, { arch: 'amd64', inputs, parents: {} })).toThrow(
    new Error('base:x has no key while install:x is unknown'),
  )
})

const keyed = { name: 'a:b', key: 'k', keyRecord: {}, phases: [], inputs: {}, parents: {} } as const
const [record, latest] = [pastBuild({ key: 'k' }), pastBuild({ key: 'older' })]
const undecided = { status: 'undecided', name: 'a:b', waitsFor: [] } as const

test.each<[Decision, string | undefined, string | undefined]>([
  [{ ...keyed, status: 'cached', record, remote: undefined } as unknown as Decision, 'k', 'k'],
  [{ ...keyed, status: 'gone', record, reason: '' } as unknown as Decision, 'k', 'k'],
  [
    { ...keyed, status: 'missing', latest, reason: '', changes: [] } as unknown as Decision,
    undefined,
    'older',
  ],
  [{ ...undecided, ifSame: undefined, latest }, undefined, 'older'],
  [{ ...undecided, ifSame: undefined, latest: undefined }, undefined, undefined],
  [{ ...undecided, ifSame: { action: 'reuse', record }, latest }, undefined, 'k'],
  [{ ...undecided, ifSame: { action: 'build', reason: '', changes: [] }, latest }, undefined, 'older'],
])('content of %j', (decision, known, likely) => {
  expect(contentOf(decision)?.treeDigest).toBe(known)
  expect(likelyContentOf(decision)?.treeDigest).toBe(likely)
})
