import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { layer } from '../../../tasks/plan/declare.ts'
import type { Decision } from '../../../tasks/plan/decision.ts'
import { type Graph, layerOf, makeGraph } from '../../../tasks/plan/graph.ts'
import { layerInputs } from '../../../tasks/plan/inputs.ts'
import type { PastBuild } from '../../../tasks/plan/past-build.ts'
import { makePlan } from '../../../tasks/plan/plan.ts'
import type { Layer, LayerName } from '../../../tasks/plan/recipe.ts'
import { decideLayer, decideLayers, type Lookup, type Oracle } from '../../../tasks/run/decide.ts'
import type { ResolvedInput } from '../../../tasks/run/resolved.ts'
import { beginning, pastBuild, recipe, run, write } from '../plan/sample.ts'

/** A world that exists in memory: files, and a store of what was built. */
class World implements Oracle {
  readonly arch = 'amd64'
  readonly files = new Map<string, string>()
  readonly records = new Map<string, PastBuild>()
  readonly newest = new Map<string, PastBuild>()
  /** Keys whose bytes are not here: in a remote, or nowhere. */
  readonly elsewhere = new Map<string, string>()
  readonly asked: string[] = []

  async resolve(...[entry, decisionOf]: Parameters<Oracle['resolve']>): ReturnType<Oracle['resolve']> {
    this.asked.push(entry.name)
    const inputs: Record<string, ResolvedInput> = {}
    const waitsFor = new Set<LayerName>()
    for (const { name, declaration, tools } of layerInputs(entry)) {
      if (declaration.kind !== 'text' && declaration.kind !== 'catalog') throw new Error('not in this world')
      const path = declaration.kind === 'text' ? declaration.path : declaration.role
      const content = this.files.get(path) ?? ''
      const files = [{ path, digest: digestOf(content) }]
      const common = { kind: declaration.kind, digest: digestOf(content), inKey: false, files }
      if (declaration.kind === 'text') inputs[name] = { ...common, value: { path, content } }
      else if (tools !== undefined && decisionOf(tools).status !== 'cached') waitsFor.add(tools)
      else inputs[name] = { ...common, value: { catalog: content, sources: {}, plugins: '' } }
    }
    return waitsFor.size > 0 ? { waitsFor: [...waitsFor] } : { inputs }
  }

  async find(key: string): Promise<Lookup> {
    const record = this.records.get(key)
    if (record === undefined) return { hit: false, reason: 'no record' }
    const place = this.elsewhere.get(key)
    if (place === 'nowhere') return { hit: false, reason: 'pack abc is missing', record }
    return { hit: true, record, ...(place === undefined ? {} : { remote: place, missingBytes: 5 }) }
  }

  async latest(name: LayerName): Promise<PastBuild | undefined> {
    return this.newest.get(name)
  }

  /** Builds all of the closure, parents first. The content is what `write` steps wrote, on that of the parent. */
  async build(graph: Graph, wanted: readonly LayerName[]): Promise<LayerName[]> {
    const decisions = await decideLayers(graph, wanted, this)
    const built: LayerName[] = []
    for (const { name, action } of makePlan(graph, wanted, decisions).layers) {
      if (action === 'skip') continue
      const decision = await decideLayer(layerOf(graph, name), (of) => decisions.get(of) as Decided, this)
      if (decision.status !== 'missing') {
        decisions.set(name, decision)
        continue
      }
      const writes = decision.phases.flatMap(({ steps }) => steps.filter((step) => step.do === 'write'))
      const below = layerOf(graph, name).from
      const treeDigest = digestOf(JSON.stringify([writes, below && decision.parents[below]?.treeDigest]))
      const record = pastBuild({ ...decision, layer: name, treeDigest, durations: { total: 1000 } })
      this.records.set(record.key, record)
      this.newest.set(name, record)
      decisions.set(name, await decideLayer(layerOf(graph, name), (of) => decisions.get(of) as Decided, this))
      built.push(name)
    }
    return built
  }
}

type Decided = Decision<ResolvedInput>
const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex')

const wanted: LayerName[] = ['role:ceph']
const tools = layer('tools:x', beginning())

/** `late` is a command in the installation that leaves no file. */
function graphOf({ late = 'true', owner = 'root' } = {}): Graph {
  const install = layer(
    'install:x',
    beginning({
      tools,
      inputs: { cfg: { kind: 'text', path: 'x.cfg' } },
      steps: (facts) => [write('/answers', facts.text('cfg').content), run(late)],
    }),
  )
  const base = layer('base:x', recipe({ does: [write('/base', owner)] }), { from: install })
  return makeGraph({
    layers: [
      layer('role:ceph', puppet('ceph'), { from: base }),
      layer('role:net', puppet('net'), { from: base }),
    ],
  })
}

const puppet = (role: string): Layer['recipes'][number] =>
  recipe({
    name: 'puppet',
    tools,
    inputs: { catalog: { kind: 'catalog', environment: 'puppet', node: 'n', role, facts: {} } },
    steps: (facts) => [write(`/${role}`, JSON.stringify(facts.catalog('catalog').catalog))],
  })

async function planned(world: World, graph: Graph, names = wanted): Promise<Record<string, string>> {
  const plan = makePlan(graph, names, await decideLayers(graph, names, world))
  return Object.fromEntries(plan.layers.map(({ name, action, reason }) => [name, `${action}: ${reason}`]))
}

async function builtWorld(): Promise<{ world: World; graph: Graph }> {
  const [world, graph] = [new World(), graphOf()]
  await world.build(graph, [...graph.layers.keys()])
  return { world, graph }
}

test('nothing built yet', async () => {
  expect(await planned(new World(), graphOf())).toEqual({
    'tools:x': 'build: never built',
    'install:x': 'undecided: waits for tools:x; never built',
    'base:x': 'undecided: waits for install:x, tools:x; never built',
    'role:ceph': 'undecided: waits for base:x, tools:x; never built',
  })
})

test('what is built is not built again', async () => {
  const { world, graph } = await builtWorld()
  expect(await world.build(graph, [...graph.layers.keys()])).toEqual([])
  expect(await planned(world, graph)).toEqual({
    'tools:x': 'skip: not needed: what stands on it is cached',
    'install:x': 'skip: not needed: what stands on it is cached',
    'base:x': 'skip: not needed: what stands on it is cached',
    'role:ceph': 'reuse: cached',
  })
})

test('every layer is asked about once, after what it stands on', async () => {
  const { world, graph } = await builtWorld()
  world.asked.length = 0
  await decideLayers(graph, [...graph.layers.keys()], world)
  expect(world.asked.toSorted()).toEqual([...graph.layers.keys()].toSorted())
  for (const [place, name] of world.asked.entries()) {
    for (const need of layerOf(graph, name as LayerName).needs)
      expect(world.asked.indexOf(need)).toBeLessThan(place)
  }
})

test('a changed role is built on its cached parent', async () => {
  const { world, graph } = await builtWorld()
  world.files.set('ceph', 'changed')
  expect(await planned(world, graph, ['role:ceph', 'role:net'])).toEqual({
    'tools:x': 'reuse: cached',
    'install:x': 'skip: not needed: what stands on it is cached',
    'base:x': 'reuse: cached',
    'role:ceph': 'build: ceph changed; content changed (write /ceph step)',
    'role:net': 'reuse: cached',
  })
  expect(await world.build(graph, wanted)).toEqual(['role:ceph'])
})

test('a changed answer file: the rest is undecided, and then built', async () => {
  const { world, graph } = await builtWorld()
  world.files.set('x.cfg', 'changed')
  expect(await planned(world, graph)).toEqual({
    'tools:x': 'reuse: cached',
    'install:x': 'build: x.cfg changed; content changed (write /answers step)',
    'base:x': 'undecided: waits for install:x; reused if that comes out the same',
    'role:ceph': 'undecided: waits for base:x; reused if that comes out the same',
  })
  expect(await world.build(graph, wanted)).toEqual(['install:x', 'base:x', 'role:ceph'])
})

test('early cutoff: a rebuilt parent with the same content leaves its children cached', async () => {
  const { world } = await builtWorld()
  const graph = graphOf({ late: 'false' })
  expect((await planned(world, graph))['install:x']).toBe('build: argv[0] "true" -> "false" (run false step)')
  expect(await world.build(graph, wanted)).toEqual(['install:x'])
  expect((await planned(world, graph))['role:ceph']).toBe('reuse: cached')
})

test('a change of its own is told of a layer whose parent is being built', async () => {
  const { world } = await builtWorld()
  const graph = graphOf({ late: 'false', owner: 'me' })
  expect((await planned(world, graph))['base:x']).toBe(
    'undecided: waits for install:x; ' +
      'built even if that comes out the same: content changed (write /base step)',
  )
})

test('files of a parent that are gone are not missed while nothing above must be built', async () => {
  const { world, graph } = await builtWorld()
  for (const name of ['base:x', 'install:x'])
    world.elsewhere.set(world.newest.get(name)?.key ?? '', 'nowhere')
  expect((await planned(world, graph))['base:x']).toBe('skip: not needed: what stands on it is cached')
  world.files.set('ceph', 'changed')
  expect(await planned(world, graph)).toMatchObject({
    'install:x': 'build: pack abc is missing',
    'base:x': 'build: pack abc is missing',
    'role:ceph': 'build: ceph changed; content changed (write /ceph step)',
  })
})

test('a tool tree whose files are gone comes first, and the rest depends', async () => {
  const { world, graph } = await builtWorld()
  for (const name of ['tools:x', 'base:x']) world.elsewhere.set(world.newest.get(name)?.key ?? '', 'nowhere')
  expect(await planned(world, graph)).toEqual({
    'tools:x': 'build: pack abc is missing',
    'install:x': 'reuse: cached',
    'base:x': 'undecided: built again if role:ceph must be built: pack abc is missing',
    'role:ceph': 'undecided: waits for tools:x; reused if its key stays the same',
  })
})

test('what a remote has is fetched when it is needed', async () => {
  const { world, graph } = await builtWorld()
  for (const name of ['base:x', 'role:net']) {
    const record = world.newest.get(name) as PastBuild
    world.elsewhere.set(record.key, 's3://images')
    world.records.set(record.key, { ...record, artifact: { 'disk.raw': { dataBytes: 7 } } })
  }
  world.files.set('ceph', 'changed')
  const names: LayerName[] = ['role:ceph', 'role:net']
  const { layers } = makePlan(graph, names, await decideLayers(graph, names, world))
  const fetched = { action: 'fetch', reason: 'cached in s3://images', expectedBytes: 5 }
  expect(layers.filter(({ action }) => action === 'fetch')).toMatchObject([
    { name: 'base:x', ...fetched },
    { name: 'role:net', ...fetched },
  ])
})

test('a store that lost only the record of a key says why itself', async () => {
  const { world, graph } = await builtWorld()
  world.records.delete(world.newest.get('role:ceph')?.key ?? '')
  expect((await planned(world, graph))['role:ceph']).toBe('build: no record')
})

test('a key that comes back is reused', async () => {
  const { world, graph } = await builtWorld()
  world.files.set('ceph', 'changed')
  await world.build(graph, wanted)
  world.files.set('ceph', '')
  expect((await planned(world, graph))['role:ceph']).toBe('reuse: cached')
})

test('a mistake in a recipe ends the plan', async () => {
  const broken = layer('a:b', beginning({ does: [write('relative')] }))
  await expect(decideLayers(makeGraph({ layers: [broken] }), ['a:b'], new World())).rejects.toThrow(
    'layer a:b: step 1 of begin (write): path is "relative", which is not absolute',
  )
})

test('concurrency is bounded', async () => {
  const world = new World()
  let [running, most] = [0, 0]
  const slow: Oracle = {
    arch: world.arch,
    find: (key) => world.find(key),
    latest: (name) => world.latest(name),
    resolve: async (...given) => {
      most = Math.max(most, ++running)
      await new Promise(setImmediate)
      running--
      return world.resolve(...given)
    },
  }
  const many = Array.from({ length: 20 }, (_, index) => layer(`a:${index}`, beginning()))
  const graph = makeGraph({ layers: many })
  const decisions = await decideLayers(graph, graph.layers.keys(), { ...slow, concurrency: 3 })
  expect([decisions.size, most]).toEqual([20, 3])
})
