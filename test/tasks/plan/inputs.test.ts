import { expect, test } from 'vitest'
import { layer } from '../../../tasks/plan/declare.ts'
import { layerOf, makeGraph, type GraphLayer } from '../../../tasks/plan/graph.ts'
import { layerInputs, makeFacts, parentSlots } from '../../../tasks/plan/inputs.ts'
import type { Layer } from '../../../tasks/plan/recipe.ts'
import { beginning, recipe, resolved } from './sample.ts'

const tools = layer('tools:trixie', beginning())
const others = layer('tools:bookworm', beginning())
const entryOf = (given: Layer): GraphLayer => layerOf(makeGraph({ layers: [given] }), given.name)

test('inputs of two recipes with equal names stay apart', () => {
  const text = { kind: 'text', path: 'a' } as const
  const env = { kind: 'env', name: 'A' } as const
  const both = entryOf(
    layer('a:b', [beginning({ inputs: { x: text, y: env } }), recipe({ inputs: { x: env }, tools })]),
  )
  expect(layerInputs(both)).toEqual([
    { name: '0.x', recipe: 0, ownName: 'x', declaration: text, tools: 'tools:trixie' },
    { name: '0.y', recipe: 0, ownName: 'y', declaration: env, tools: 'tools:trixie' },
    { name: '1.x', recipe: 1, ownName: 'x', declaration: env, tools: 'tools:trixie' },
  ])
})

test('slots name parents by what they are for', () => {
  expect([...parentSlots(entryOf(tools))]).toEqual([])
  const from = layer('install:x', beginning({ tools }))
  const child = layer('base:x', [recipe({ tools: others }), recipe({ tools }), recipe({ tools: others })], {
    from,
  })
  expect([...parentSlots(entryOf(child))]).toEqual([
    ['from', 'install:x'],
    ['tools', 'tools:bookworm'],
    ['tools.2', 'tools:trixie'],
  ])
})

const sources = { catalog: { resources: [] }, sources: {}, plugins: 'p' }
const facts = makeFacts(
  entryOf(
    layer('a:b', [
      beginning({ inputs: { x: { kind: 'text', path: 'a' }, y: { kind: 'env', name: 'Y' } } }),
      recipe({
        name: 'other',
        inputs: { x: { kind: 'catalog', environment: 'puppet', node: 'n', role: 'r', facts: {} } },
      }),
    ]),
  ),
  {
    '0.x': resolved({ kind: 'text', value: { path: 'a', content: 'A' } }),
    '1.x': resolved({ kind: 'catalog', value: sources }),
  },
)

test('each recipe sees its own inputs', () => {
  expect(facts[0]?.text('x')).toEqual({ path: 'a', content: 'A' })
  expect(facts[1]?.catalog('x')).toEqual(sources)
})

test('a recipe that asks for what it did not declare is a mistake', () => {
  expect(() => facts[0]?.text('z')).toThrow(
    new Error('recipe begin asks for the text input z, which is not declared'),
  )
  expect(() => facts[1]?.text('toString')).toThrow(
    new Error('recipe other asks for the text input toString, which is not declared'),
  )
  expect(() => facts[1]?.env('x')).toThrow(
    new Error('recipe other asks for the env input x, which is declared as catalog'),
  )
  expect(() => facts[0]?.env('y')).toThrow(new Error('input y of recipe begin was not resolved'))
})
