import { expect, test } from 'vitest'
import { layer } from '../../../tasks/plan/declare.ts'
import { estimate } from '../../../tasks/plan/estimate.ts'
import { makeGraph } from '../../../tasks/plan/graph.ts'
import type { Layer, LayerName } from '../../../tasks/plan/recipe.ts'
import { child, fixed, root } from '../../rig/fake-project.ts'

const install = layer('install:a', root('one'))
const base = child('base:a', install, fixed([]))
const roles = ['b', 'c'].map((name): Layer => child(`role:${name}` as LayerName, base, fixed([])))
const graph = makeGraph({ layers: [install, base, ...roles] })

test('work of everything, and the longest chain of it', () => {
  const layers = [
    { name: 'install:a', action: 'reuse', reason: 'cached' },
    { name: 'base:a', action: 'build', reason: '', expectedMs: 10_000, expectedBytes: 100 },
    { name: 'role:b', action: 'undecided', reason: '', expectedMs: 30_000, expectedBytes: 300 },
    { name: 'role:c', action: 'undecided', reason: '' },
  ] as const
  expect(estimate(graph, { layers })).toEqual({
    builds: 1,
    perhaps: 2,
    workMs: 40_000,
    criticalMs: 40_000,
    criticalPath: ['base:a', 'role:b'],
    unknown: 1,
    fetchBytes: 0,
    diskBytes: 700,
  })
})

test('nothing to do takes nothing', () => {
  const layers = [{ name: 'install:a', action: 'fetch', reason: '', expectedBytes: 50 }] as const
  expect(estimate(graph, { layers })).toMatchObject({
    builds: 0,
    workMs: 0,
    criticalPath: [],
    fetchBytes: 50,
  })
})
