import { expect, test } from 'vitest'
import { renderChange } from '../../../tasks/plan/change.ts'
import { type Asked, explain } from '../../../tasks/plan/explain.ts'
import { computeKey, type KeyFacts } from '../../../tasks/plan/key.ts'
import type { PastInput } from '../../../tasks/plan/past-build.ts'
import type { Step } from '../../../tasks/plan/step.ts'
import { pastBuild, write } from './sample.ts'

interface Given extends Partial<Omit<KeyFacts, 'phases' | 'inputs' | 'parents'>> {
  readonly steps?: readonly Step[]
  readonly inputs?: Readonly<Record<string, PastInput>>
  readonly inKey?: Readonly<Record<string, string>>
  readonly parents?: Readonly<Record<string, readonly [name: string, treeDigest: string]>>
}

/** Parents by slot; a build as its record would tell of it. */
function asked({
  steps = [write('/a')],
  inputs = {},
  inKey = {},
  parents = {},
  arch = 'amd64',
}: Given): Asked {
  const { record } = computeKey({
    arch,
    phases: [{ mode: 'chroot', tools: undefined, steps }],
    inputs: inKey,
    parents: Object.fromEntries(Object.entries(parents).map(([slot, [, treeDigest]]) => [slot, treeDigest])),
  })
  const named = Object.values(parents).map(([name, treeDigest]) => [name, { key: 'k', treeDigest }])
  return { keyRecord: record, inputs, parents: Object.fromEntries(named) as Asked['parents'] }
}

const words = (was: Given, now: Given): string[] =>
  explain(pastBuild({ ...asked(was) }), asked(now)).map(renderChange)

const file = (path: string, digest = 'd', mode = '0644'): PastInput['files'][number] => ({
  path,
  digest,
  mode,
})
const input = (kind: string, digest: string, files: PastInput['files'] = []): PastInput => ({
  kind,
  digest,
  files,
})

test('without a build before', () => {
  expect(explain(undefined, asked({}))).toEqual([{ kind: 'never-built' }])
})

test.each([null, 'x', {}, { format: 0, phases: 'other' }])('a record of another form: %j', (keyRecord) => {
  expect(explain(pastBuild({ keyRecord }), asked({}))).toEqual([{ kind: 'format' }])
})

test('equal keys have no differences, whatever else the records say', () => {
  expect(words({}, {})).toEqual([])
  const inputs = { '0.cfg': input('text', 'd1', [file('preseed/trixie.cfg', 'd1')]) }
  const commented = { '0.cfg': input('text', 'd2', [file('preseed/trixie.cfg', 'd2')]) }
  expect(words({ inputs }, { inputs: commented })).toEqual([])
})

test('architecture', () => {
  expect(words({}, { arch: 'arm64' })).toEqual(['architecture amd64 -> arm64'])
})

test.each<[string, NonNullable<Given['parents']>, NonNullable<Given['parents']>, string[]]>([
  ['content', { from: ['base:x', 'a'] }, { from: ['base:x', 'b'] }, ['parent base:x has other content']],
  ['another layer', { from: ['base:x', 'a'] }, { from: ['base:y', 'b'] }, ['parent is base:y, was base:x']],
  ['another layer with the same content', { from: ['base:x', 'a'] }, { from: ['base:y', 'a'] }, []],
  [
    'tools',
    { from: ['base:x', 'a'], tools: ['tools:x', 't'] },
    { from: ['base:x', 'a'], tools: ['tools:x', 'u'] },
    ['tool tree tools:x has other content'],
  ],
  ['tools added', {}, { tools: ['tools:x', 'u'] }, ['tool tree tools:x added']],
])('parents: %s', (_, ...[was, now, expected]) => {
  expect(words({ parents: was }, { parents: now })).toEqual(expected)
})

const withTree = (tree: PastInput): Given => ({
  inputs: { '0.tree': tree },
  inKey: { '0.tree': tree.digest },
})

test('files of an input', () => {
  const was = input('files', 'd1', [file('etc/a'), file('etc/b'), file('etc/c'), file('etc/e')])
  const now = input('files', 'd2', [
    file('etc/a', 'e'),
    file('etc/b', 'd', '0755'),
    file('etc/d'),
    file('etc/e'),
  ])
  expect(words(withTree(was), withTree(now))).toEqual([
    'etc/a changed',
    'mode of etc/b changed',
    'etc/d added',
    'etc/c removed',
  ])
})

const withToken = (digest: string): Given => ({
  inputs: { '0.token': input('env', digest) },
  inKey: { '0.token': digest },
})

test('an input without files', () => {
  expect(words(withToken('a'), withToken('b'))).toEqual(['environment value token changed'])
  expect(words({}, withToken('b'))).toEqual(['environment value token added'])
  expect(words(withToken('b'), {})).toEqual(['environment value token removed'])
})

const withApt = (digest: string): Given => ({
  inputs: {
    '0.apt': input('apt', digest, [file('trixie InRelease'), file('trixie-security InRelease', digest)]),
  },
  inKey: { '0.apt': digest },
})

test('the state of a repository', () => {
  expect(words(withApt('a'), withApt('b'))).toEqual(['trixie-security InRelease changed'])
})

const withStepsOf = (digest: string): Given => ({
  inputs: { '0.cfg': input('text', digest, [file('preseed/trixie.cfg', digest)]) },
  steps: [write('/a', digest)],
})

test('a text file comes before the steps it changed', () => {
  expect(words(withStepsOf('a'), withStepsOf('b'))).toEqual([
    'preseed/trixie.cfg changed',
    'content changed (write /a step)',
  ])
})

const withManifests = (one: string, other: string): Given => ({
  inputs: {
    '0.catalog': input('catalog', one + other, [file('puppet/a.pp', one), file('puppet/b.pp', other)]),
  },
  steps: [write('/a', one)],
})

test('of several files a catalog is made of, nobody knows which it was', () => {
  expect(words(withManifests('a', 'x'), withManifests('b', 'x'))).toEqual([
    'puppet/a.pp changed',
    'content changed (write /a step)',
  ])
  expect(words(withManifests('a', 'x'), withManifests('b', 'y'))).toEqual([
    'content changed (write /a step)',
    'puppet/a.pp changed, perhaps why',
    'puppet/b.pp changed, perhaps why',
  ])
})

const withParentOf = (digest: string): Given => ({
  inputs: { '0.cfg': input('text', digest, [file('preseed/trixie.cfg', digest)]) },
  parents: { from: ['base:x', digest] },
})

test('a text file is not blamed when the steps are the same', () => {
  expect(words(withParentOf('a'), withParentOf('b'))).toEqual(['parent base:x has other content'])
})

test('a new input with its step is told once', () => {
  const inputs = { '0.tree': input('files', 'd', [file('etc/a')]) }
  const copy: Step = { do: 'copy', input: '0.tree', to: '/etc' }
  expect(words({}, { inputs, inKey: { '0.tree': 'd' }, steps: [write('/a'), copy] })).toEqual([
    'step "copy /etc" added',
  ])
})

test('property of every case here: what differs in the key is told', () => {
  const base: Given = { parents: { from: ['base:x', 'a'] } }
  const others: Given[] = [
    { ...base, arch: 'arm64' },
    { ...base, steps: [write('/b')] },
    { ...base, inKey: { '0.x': 'd' }, inputs: { '0.x': input('script', 'd') } },
    {},
  ]
  for (const other of others) expect(words(base, other)).not.toEqual([])
})
