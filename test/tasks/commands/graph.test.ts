import { expect, test } from 'vitest'
import { graph, renderers } from '../../../tasks/commands/graph.ts'
import { defineImgfile, layer, type Recipe } from '../../../tasks/index.ts'
import { makeGraph } from '../../../tasks/plan/graph.ts'

const start: Recipe = { name: 'start', mode: 'chroot', inputs: {}, parent: 'none', steps: () => [] }
const tools = layer('tools:a', start)
const install = layer('install:a', { ...start, tools })
const base = layer('base:a', { ...start, parent: 'required' }, { from: install })
const all = makeGraph(defineImgfile({ layers: [base] }))
const names = [...all.layers.keys()]

test('tree: what stands on what', () =>
  expect(renderers.tree(all, names)).toBe('tools:a\ninstall:a\n  base:a\n'))

test('dot', () =>
  expect(renderers.dot(all, names)).toMatchInlineSnapshot(`
  "digraph img {
    rankdir=LR
    node [shape=box]
    "tools:a"
    "install:a"
    "base:a"
    "tools:a" -> "install:a" [style=dashed]
    "install:a" -> "base:a"
    "tools:a" -> "base:a" [style=dashed]
  }
  "
`))

test('mermaid', () =>
  expect(renderers.mermaid(all, names)).toMatchInlineSnapshot(`
  "flowchart LR
    l0["tools:a"]
    l1["install:a"]
    l2["base:a"]
    l0 -.-> l1
    l1 --> l2
    l0 -.-> l2
  "
`))

test('json', () =>
  expect(renderers.json(all, names)).toEqual({
    layers: [
      { name: 'tools:a', from: null, chain: [], tools: [] },
      { name: 'install:a', from: null, chain: [], tools: ['tools:a'] },
      { name: 'base:a', from: 'install:a', chain: [], tools: ['tools:a'] },
    ],
  }))

test.each([
  ['dto', 'did you mean --format dot?'],
  ['png', 'img graph --format dot'],
])('--format %s is refused', (format, hint) => {
  const parse = graph.options[0]?.parse
  expect(parse?.('json')).toBe('json')
  expect(() => parse?.(format)).toThrow(
    expect.objectContaining({
      code: 'USAGE',
      message: `--format takes tree, dot, mermaid, svg or json, not ${format}`,
      fields: { hint, found: format },
    }),
  )
})
