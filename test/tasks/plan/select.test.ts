import { expect, test } from 'vitest'
import { makeGraph } from '../../../tasks/plan/graph.ts'
import { select } from '../../../tasks/plan/select.ts'
import { layer } from '../../../tasks/plan/declare.ts'
import { beginning, errorOf, layers, recipe } from './sample.ts'

const names = [
  'install:trixie',
  'base:trixie',
  'role:ceph-node',
  'role:ceph-mon',
  'vagrant:ceph-node',
] as const
const graph = makeGraph({
  layers: Object.values(
    layers({
      'install:trixie': '',
      'base:trixie': 'install:trixie',
      'role:ceph-node': 'base:trixie',
      'role:ceph-mon': 'base:trixie',
      'vagrant:ceph-node': 'role:ceph-node',
    }),
  ),
})

test.each([
  [['base:trixie'], ['base:trixie']],
  [['role:*'], ['role:ceph-node', 'role:ceph-mon']],
  [['*:ceph-node'], ['role:ceph-node', 'vagrant:ceph-node']],
  [['*'], names],
  [['**'], names],
  [['role:ceph-mo?'], ['role:ceph-mon']],
  [
    ['role:ceph-mon', '*:trixie', 'role:*'],
    ['install:trixie', 'base:trixie', 'role:ceph-node', 'role:ceph-mon'],
  ],
  [[], []],
])('%j selects %j', (selectors, expected) => {
  expect(select(graph, selectors)).toEqual(expected)
})

test('the characters of a regular expression mean themselves', () => {
  expect(errorOf(() => select(graph, ['role.ceph-mo?'])).message).toBe('no layer matches role.ceph-mo?')
  expect(errorOf(() => select(graph, ['(role|base)*'])).message).toBe('no layer matches (role|base)*')
})

test('an unknown name comes with the known ones', () => {
  expect(errorOf(() => select(graph, ['base:trixie', 'role:ceph-nod']))).toEqual({
    code: 'LAYER_UNKNOWN',
    message: 'there is no layer role:ceph-nod',
    hint: 'run `img ls` for the list',
    found: 'role:ceph-nod',
    validOptions: names,
  })
})

test('a glob without match shows what there is', () => {
  expect(errorOf(() => select(graph, ['ramdisk:*']))).toEqual({
    code: 'LAYER_UNKNOWN',
    message: 'no layer matches ramdisk:*',
    hint: 'run `img ls` for the list',
    found: 'ramdisk:*',
    validOptions: names,
  })
})

test('a pattern leaves out manual layers and what stands on them, unless it matches nothing else', () => {
  const slow = layer('install:slow', beginning(), { manual: true })
  const onSlow = layer('role:slow', recipe(), { from: slow })
  const quick = layer('role:quick', recipe(), { from: layer('install:quick', beginning()) })
  const mixed = makeGraph({ layers: [onSlow, quick] })
  expect(select(mixed, ['role:*'])).toEqual(['role:quick'])
  expect(select(mixed, ['*'])).toEqual(['install:quick', 'role:quick'])
  expect(select(mixed, ['*:slow'])).toEqual(['install:slow', 'role:slow'])
  expect(select(mixed, ['role:*', 'role:slow'])).toEqual(['role:slow', 'role:quick'])
})
