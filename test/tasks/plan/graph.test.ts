import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { layer } from '../../../tasks/plan/declare.ts'
import { closure, layerOf, makeGraph } from '../../../tasks/plan/graph.ts'
import type { InputDeclaration, Layer, LayerName } from '../../../tasks/plan/recipe.ts'
import { beginning, errorOf, layers, recipe } from './sample.ts'

const tools = layer('tools:trixie', beginning())

test('parents and tool trees come in, before those that need them', () => {
  const install = layer('install:trixie', beginning({ tools }))
  const base = layer('base:trixie', recipe({ tools }), { from: install })
  const graph = makeGraph({ layers: [base] })
  expect([...graph.layers.keys()]).toEqual(['tools:trixie', 'install:trixie', 'base:trixie'])
  expect(layerOf(graph, 'base:trixie').needs).toEqual(['install:trixie', 'tools:trixie'])
})

test('a recipe without tools uses those of its layer, else of its parent', () => {
  const other = layer('tools:bookworm', beginning())
  const install = layer('install:trixie', [beginning(), recipe({ tools })])
  const plain = layer('base:plain', [recipe(), recipe({ tools: other }), recipe()], { from: install })
  const above = layer('role:x', recipe(), { from: layer('base:x', recipe(), { from: install }) })
  const graph = makeGraph({ layers: [plain, above] })
  expect(layerOf(graph, 'tools:trixie').recipeTools).toEqual([undefined])
  expect(layerOf(graph, 'install:trixie').recipeTools).toEqual(['tools:trixie', 'tools:trixie'])
  expect(layerOf(graph, 'base:plain').recipeTools).toEqual([
    'tools:bookworm',
    'tools:bookworm',
    'tools:bookworm',
  ])
  expect(layerOf(graph, 'role:x').recipeTools).toEqual(['tools:trixie'])
  expect(layerOf(graph, 'role:x').needs).toEqual(['base:x', 'tools:trixie'])
})

test('a recipe that asks for the chain needs every layer below its parent, oldest first', () => {
  const install = layer('install:x', beginning({ tools }))
  const base = layer('base:x', recipe(), { from: install })
  const role = layer('role:x', recipe(), { from: base })
  const image = layer('docker:x', recipe({ mode: 'export', chain: true }), { from: role })
  const plain = layer('raw:x', recipe({ mode: 'export' }), { from: role })
  const graph = makeGraph({ layers: [image, plain] })
  expect(layerOf(graph, 'docker:x').chain).toEqual(['install:x', 'base:x'])
  expect(layerOf(graph, 'docker:x').needs).toEqual(['role:x', 'install:x', 'base:x', 'tools:trixie'])
  expect(layerOf(graph, 'raw:x').chain).toEqual([])
  expect(layerOf(graph, 'raw:x').needs).toEqual(['role:x', 'tools:trixie'])
})

test('the same value twice is one layer', () => {
  expect(makeGraph({ layers: [tools, tools] }).layers.size).toBe(1)
})

test('two layers of one name are refused with both places', () => {
  const one = layer('install:trixie', beginning())
  const two = layer('install:trixie', beginning())
  const root = import.meta.dirname
  const error = errorOf(() => makeGraph({ layers: [one, two] }, root))
  expect({ ...error, message: error.message.replaceAll(/:\d+:\d+/g, ':LINE') }).toEqual({
    code: 'LAYER_DUPLICATE',
    message: 'two layers are called install:trixie: graph.test.ts:LINE and graph.test.ts:LINE',
    hint: 'rename one, or declare it once and use the value twice',
    layer: 'install:trixie',
    path: 'graph.test.ts',
    line: 1,
  })
})

test('a duplicate is found also among parents nobody listed', () => {
  const [one, two] = [1, 2].map(() => ({ ...layer('install:x', beginning()), declaredAt: undefined }))
  const children = [one, two].map((from, index) => layer(`base:${index}`, recipe(), { from: from as Layer }))
  expect(errorOf(() => makeGraph({ layers: children })).message).toBe('two layers are called install:x')
})

/** What only a changed object or a getter can do. */
function knot(names: readonly LayerName[]): Layer[] {
  const made = names.map((name) => ({
    name,
    recipes: [recipe()],
    traits: {},
    from: undefined as Layer | undefined,
    declaredAt: undefined,
  }))
  for (const [index, one] of made.entries()) one.from = made[(index + 1) % made.length] as Layer
  return made
}

test.each([
  [['a:1'], 'layers need each other: a:1 -> a:1'],
  [['a:1', 'b:2', 'c:3'], 'layers need each other: a:1 -> b:2 -> c:3 -> a:1'],
] as [LayerName[], string][])('a circle of %j is refused', (names, message) => {
  expect(errorOf(() => makeGraph({ layers: knot(names) }))).toEqual({
    code: 'LAYER_CYCLE',
    message,
    hint: 'give one of them a parent or tool tree outside this circle',
    layer: 'a:1',
  })
})

test('only the circle is named, not the way to it', () => {
  const way = layer('role:x', recipe(), { from: knot(['a:1', 'b:2'])[0] as Layer })
  expect(errorOf(() => makeGraph({ layers: [way] })).message).toBe(
    'layers need each other: a:1 -> b:2 -> a:1',
  )
})

test('edges are read once', () => {
  let reads = 0
  const moody: Layer = {
    name: 'base:moody',
    traits: {},
    recipes: [recipe()],
    declaredAt: undefined,
    get from() {
      reads++
      return tools
    },
  }
  makeGraph({ layers: [moody, moody, layer('role:x', recipe(), { from: moody })] })
  expect(reads).toBe(1)
})

test('closure is what is needed, in the order of the graph', () => {
  const all = layers({ 'a:1': '', 'b:1': 'a:1', 'c:1': 'b:1', 'b:2': 'a:1', 'x:1': '' })
  const graph = makeGraph({ layers: Object.values(all) })
  expect(closure(graph, ['c:1'])).toEqual(['a:1', 'b:1', 'c:1'])
  expect(closure(graph, ['b:2', 'b:1'])).toEqual(['a:1', 'b:1', 'b:2'])
  expect(closure(graph, [])).toEqual([])
})

test('property: everything comes after what it needs, whatever the order of listing', () => {
  const shape = fc.array(fc.tuple(fc.nat(), fc.boolean()), { minLength: 1, maxLength: 30 })
  fc.assert(
    fc.property(shape, fc.infiniteStream(fc.nat()), (edges, random) => {
      const made: Layer[] = []
      for (const [index, [parent, begins]] of edges.entries()) {
        const from = begins ? undefined : made[parent % Math.max(1, made.length)]
        made.push(
          from === undefined ? layer(`a:${index}`, beginning()) : layer(`a:${index}`, recipe(), { from }),
        )
      }
      const listed = made.map((value) => ({ value, order: random.next().value as number }))
      const graph = makeGraph({
        layers: listed.toSorted((a, b) => a.order - b.order).map(({ value }) => value),
      })
      const seen = new Set<LayerName>()
      for (const [name, entry] of graph.layers) {
        for (const need of entry.needs) expect(seen.has(need)).toBe(true)
        seen.add(name)
      }
      expect(seen.size).toBe(made.length)
    }),
  )
})

test('a chain of 100,000 layers needs no stack', () => {
  const shared = [recipe()]
  let top: Layer = { name: 'chain:0', recipes: shared, traits: {}, from: undefined, declaredAt: undefined }
  for (let place = 1; place < 100_000; place++) {
    top = { name: `chain:${place}`, recipes: shared, traits: {}, from: top, declaredAt: undefined }
  }
  const graph = makeGraph({ layers: [top] })
  expect([graph.layers.size, closure(graph, [top.name]).length]).toEqual([100_000, 100_000])
})

test('what stands on a template of strangers is foreign, what stands on a template of this graph is not', () => {
  const template: InputDeclaration = {
    kind: 'template',
    source: 'https://images.example.org/index.asc',
    template: 'debian-13',
    arch: 'x86_64',
    trust: { keyFile: 'images.gpg' },
  }
  const base = layer('base:theirs', beginning({ inputs: { template } }))
  const role = layer('role:theirs', recipe(), { from: base })
  const own = layer('base:own', beginning())
  const graph = makeGraph({ layers: [role, own] })
  expect([...graph.layers.values()].map(({ name, foreign }) => [name, foreign])).toEqual([
    ['base:theirs', true],
    ['role:theirs', true],
    ['base:own', false],
  ])
})
