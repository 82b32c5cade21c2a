import { expect, test } from 'vitest'
import type { Decision } from '../../../tasks/plan/decision.ts'
import { makeGraph } from '../../../tasks/plan/graph.ts'
import type { PastBuild } from '../../../tasks/plan/past-build.ts'
import { makePlan, type PlannedLayer } from '../../../tasks/plan/plan.ts'
import type { LayerName } from '../../../tasks/plan/recipe.ts'
import { layers, pastBuild } from './sample.ts'

const graph = makeGraph({
  layers: Object.values(layers({ 'a:1': '', 'b:1': 'a:1', 'c:1': 'b:1', 'c:2': 'b:1' })),
})
const past = pastBuild({ durations: { total: 5 }, artifact: { disk: { dataBytes: 9 } } })

const keyed = (name: LayerName): Extract<Decision, { status: 'cached' }> => ({
  name,
  key: `key of ${name}`,
  keyRecord: {} as Extract<Decision, { status: 'cached' }>['keyRecord'],
  phases: [],
  inputs: {},
  parents: {},
  status: 'cached',
  remote: undefined,
  record: { ...past, treeDigest: `tree of ${name}` },
})

type State = 'cached' | 'remote' | 'gone' | 'missing' | 'undecided'

function decided(name: LayerName, state: State, latest?: PastBuild): Decision {
  const { record, remote: _, ...rest } = keyed(name)
  switch (state) {
    case 'cached':
      return keyed(name)
    case 'remote':
      return { ...keyed(name), remote: 'there' }
    case 'gone':
      return { ...rest, status: 'gone', record, reason: 'gone' }
    case 'missing':
      return { ...rest, status: 'missing', latest, reason: 'changed', changes: [] }
    case 'undecided': {
      const waitsFor = [[...graph.layers.values()].find((entry) => entry.name === name)?.from ?? name]
      return { status: 'undecided', name, waitsFor, ifSame: undefined, latest }
    }
  }
  return state satisfies never
}

function plan(states: readonly State[], ...wanted: LayerName[]): readonly PlannedLayer[] {
  const decisions = [...graph.layers.keys()].map((name, place): [LayerName, Decision] => [
    name,
    decided(name, states[place] ?? 'cached'),
  ])
  return makePlan(graph, wanted, new Map(decisions)).layers
}

const actions = (states: readonly State[], ...wanted: LayerName[]): string =>
  plan(states, ...wanted)
    .map(({ action }) => action)
    .join(' ')

test.each<[State[], LayerName[], string]>([
  [[], [], ''],
  [[], ['b:1'], 'skip reuse'],
  [[], ['a:1', 'b:1', 'c:1', 'c:2'], 'reuse reuse reuse reuse'],
  [['cached', 'cached', 'missing', 'cached'], ['c:1', 'c:2'], 'skip reuse build reuse'],
  [['cached', 'remote', 'missing', 'cached'], ['c:1'], 'skip fetch build'],
  [['remote', 'remote', 'cached', 'missing'], ['c:1'], 'skip skip reuse'],
  [['gone', 'gone', 'cached', 'missing'], ['c:1'], 'skip skip reuse'],
  [['gone', 'gone', 'missing', 'cached'], ['c:1'], 'build build build'],
  [['remote', 'gone', 'missing', 'cached'], ['c:1'], 'fetch build build'],
  [['missing', 'undecided', 'undecided', 'undecided'], ['c:1', 'c:2'], 'build undecided undecided undecided'],
  [['missing', 'undecided', 'undecided', 'undecided'], ['a:1'], 'build'],
  [['missing', 'undecided', 'undecided', 'undecided'], ['b:1'], 'build undecided'],
])('%j, wanted %j: %s', (states, wanted, expected) => {
  expect(actions(states, ...wanted)).toBe(expected)
})

test('what is told of each action', () => {
  expect(plan(['remote', 'gone', 'missing', 'cached'], 'c:1')).toEqual([
    {
      name: 'a:1',
      action: 'fetch',
      reason: 'cached in there',
      key: 'key of a:1',
      treeDigest: 'tree of a:1',
      expectedBytes: 9,
    },
    {
      name: 'b:1',
      action: 'build',
      reason: 'gone',
      key: 'key of b:1',
      treeDigest: 'tree of b:1',
      expectedMs: 5,
      expectedBytes: 9,
    },
    { name: 'c:1', action: 'build', reason: 'changed', key: 'key of c:1' },
  ])
})

test('an undecided layer has no key, but what the last build took', () => {
  const decisions = new Map<LayerName, Decision>([
    ['a:1', decided('a:1', 'missing')],
    ['b:1', decided('b:1', 'undecided', past)],
  ])
  expect(makePlan(graph, ['b:1'], decisions).layers[1]).toEqual({
    name: 'b:1',
    action: 'undecided',
    reason: 'waits for a:1; reused if its key stays the same',
    expectedMs: 5,
    expectedBytes: 9,
  })
})

test('what a remote has may not be needed after all', () => {
  const waiting: Decision = {
    status: 'undecided',
    name: 'c:1',
    waitsFor: ['x:tools'],
    ifSame: undefined,
    latest: undefined,
  }
  const decisions = new Map<LayerName, Decision>([
    ['a:1', decided('a:1', 'gone')],
    ['b:1', decided('b:1', 'remote')],
    ['c:1', waiting],
    ['x:tools', decided('x:tools', 'missing')],
  ])
  expect(makePlan(graph, ['c:1'], decisions).layers.map(({ action, reason }) => [action, reason])).toEqual([
    ['skip', 'not needed: what stands on it is cached'],
    ['undecided', 'fetched from there if c:1 must be built'],
    ['undecided', 'waits for x:tools; never built'],
  ])
})
