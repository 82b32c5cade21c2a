// What carrying a plan out will take, judged by the builds before. Pure.

import { type Graph, layerOf } from './graph.ts'
import type { Plan, PlannedLayer } from './plan.ts'
import type { LayerName } from './recipe.ts'

export interface Estimate {
  /** Layers to build and, if what they stand on comes out otherwise, perhaps to build. */
  readonly builds: number
  readonly perhaps: number
  /** Of all builds, one after the other; without those never built. */
  readonly workMs: number
  /** The longest chain that has to be built in order: the shortest time any number of cores allows. */
  readonly criticalMs: number
  readonly criticalPath: readonly LayerName[]
  /** Layers without a build before, so without a time. */
  readonly unknown: number
  readonly fetchBytes: number
  /** What it adds to the cache at most, and the largest disk that is worked on beside. */
  readonly diskBytes: number
}

export function estimate(graph: Graph, { layers }: Plan): Estimate {
  const builds = layers.filter(({ action }) => action === 'build')
  const perhaps = layers.filter(({ action }) => action === 'undecided')
  const todo = [...builds, ...perhaps]
  const bytes = todo.map(({ expectedBytes }) => expectedBytes ?? 0)
  const fetchBytes = sum(
    layers.filter(({ action }) => action === 'fetch').map(({ expectedBytes }) => expectedBytes ?? 0),
  )
  return {
    builds: builds.length,
    perhaps: perhaps.length,
    workMs: sum(todo.map(({ expectedMs }) => expectedMs ?? 0)),
    ...criticalPath(graph, layers),
    unknown: todo.filter(({ expectedMs }) => expectedMs === undefined).length,
    fetchBytes,
    diskBytes: sum(bytes) + Math.max(0, ...bytes) + fetchBytes,
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, next) => total + next, 0)

/** Parents come first in a plan, so one pass is enough. */
function criticalPath(
  graph: Graph,
  layers: readonly PlannedLayer[],
): Pick<Estimate, 'criticalMs' | 'criticalPath'> {
  const ends = new Map<LayerName, { readonly ms: number; readonly path: readonly LayerName[] }>()
  let longest: { readonly ms: number; readonly path: readonly LayerName[] } = { ms: 0, path: [] }
  for (const { name, action, expectedMs = 0 } of layers) {
    if (action !== 'build' && action !== 'undecided') continue
    let before: typeof longest = { ms: 0, path: [] }
    for (const need of layerOf(graph, name).needs) {
      const end = ends.get(need)
      if (end !== undefined && (end.ms > before.ms || before.path.length === 0)) before = end
    }
    const end = { ms: before.ms + expectedMs, path: [...before.path, name] }
    ends.set(name, end)
    if (end.ms > longest.ms || longest.path.length === 0) longest = end
  }
  return { criticalMs: longest.ms, criticalPath: longest.path }
}
