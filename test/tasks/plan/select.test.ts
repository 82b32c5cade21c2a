import { expect, test } from 'vitest'
import { makeGraph } from '../../../tasks/plan/graph.ts'
import { select } from '../../../tasks/plan/select.ts'
import { errorOf, layers } from './sample.ts'

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
