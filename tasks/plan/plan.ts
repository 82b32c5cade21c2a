// What a command will do to each layer, and why. Pure: everything the world said is in the decisions.

import type { CachedLayer, Decision, UndecidedLayer } from './decision.ts'
import { closure, type Graph, layerOf } from './graph.ts'
import { artifactBytes, expectedDuration, type PastBuild } from './past-build.ts'
import type { LayerName } from './recipe.ts'

export interface Plan {
  /** The wanted layers and all they stand on, parents and tool trees first. */
  readonly layers: readonly PlannedLayer[]
}

export interface PlannedLayer {
  readonly name: LayerName
  readonly action: Action
  /** One clause. */
  readonly reason: string
  /** Absent while undecided. */
  readonly key?: string
  /** Absent until built. */
  readonly treeDigest?: string
  /** Of a build, from the last one. */
  readonly expectedMs?: number
  /** To be fetched, or written by a build if it is like the last one. */
  readonly expectedBytes?: number
}

/** `skip`: everything wanted that stands on it is cached. `undecided`: depends on what is being built below it. */
type Action = 'reuse' | 'fetch' | 'build' | 'undecided' | 'skip'

/** `decisions` has every layer of the closure of `wanted`. */
export function makePlan(
  graph: Graph,
  wanted: Iterable<LayerName>,
  decisions: ReadonlyMap<LayerName, Decision>,
): Plan {
  const names = [...wanted]
  const needs = new Map<LayerName, Need>(names.map((name) => [name, { certain: true, by: undefined }]))
  const planned: PlannedLayer[] = []
  // From the wanted down, so that all that need a layer have spoken before it is its turn.
  for (const name of closure(graph, names).toReversed()) {
    const decision = decisionOf(decisions, name)
    const need = needs.get(name)
    planned.push(planLayer(decision, need))
    for (const below of layerOf(graph, name).needs) {
      const passedOn = need && needOf(below, { need, decision })
      if (passedOn === undefined || needs.get(below)?.certain === true) continue
      if (passedOn.certain || !needs.has(below)) needs.set(below, passedOn)
    }
  }
  return { layers: planned.toReversed() }
}

/** A layer is needed when it is wanted, or when one that must be built stands on it. */
interface Need {
  /** False: only if an undecided layer turns out to need building. */
  readonly certain: boolean
  /** Who needs it; undefined for what was asked for. */
  readonly by: LayerName | undefined
}

/** What a needed layer needs of one it stands on: nothing when it is cached, its key when it is undecided. */
function needOf(
  below: LayerName,
  by: { readonly need: Need; readonly decision: Decision },
): Need | undefined {
  const { need, decision } = by
  if (decision.status === 'cached') return undefined
  const certain = decision.status === 'undecided' ? decision.waitsFor.includes(below) : need.certain
  return { certain: need.certain && certain, by: decision.name }
}

function planLayer(decision: Decision, need: Need | undefined): PlannedLayer {
  if (need === undefined) {
    return { ...shared(decision), action: 'skip', reason: 'not needed: what stands on it is cached' }
  }
  switch (decision.status) {
    case 'cached':
      return planCached(decision, need)
    case 'gone':
      return need.certain
        ? { ...shared(decision), ...expected(decision.record), action: 'build', reason: decision.reason }
        : {
            ...shared(decision),
            ...expected(decision.record),
            action: 'undecided',
            reason: `built again if ${need.by} must be built: ${decision.reason}`,
          }
    case 'missing':
      return { ...shared(decision), ...expected(decision.latest), action: 'build', reason: decision.reason }
    case 'undecided':
      return {
        ...shared(decision),
        ...expected(decision.latest),
        action: 'undecided',
        reason: `waits for ${decision.waitsFor.join(', ')}; ${inEitherCase(decision)}`,
      }
  }
  return decision satisfies never
}

function planCached(decision: CachedLayer, need: Need): PlannedLayer {
  const { remote, record, missingBytes } = decision
  if (remote === undefined) return { ...shared(decision), action: 'reuse', reason: 'cached' }
  const expectedBytes = missingBytes ?? artifactBytes(record)
  return need.certain
    ? { ...shared(decision), action: 'fetch', reason: `cached in ${remote}`, expectedBytes }
    : {
        ...shared(decision),
        action: 'undecided',
        reason: `fetched from ${remote} if ${need.by} must be built`,
        expectedBytes,
      }
}

function inEitherCase({ ifSame, latest, waitsFor }: UndecidedLayer): string {
  const same = waitsFor.length === 1 ? 'that comes out the same' : 'they come out the same'
  if (ifSame?.action === 'reuse') return `reused if ${same}`
  if (latest === undefined) return 'never built'
  return ifSame === undefined ? 'reused if its key stays the same' : `built even if ${same}: ${ifSame.reason}`
}

function shared(decision: Decision): Pick<PlannedLayer, 'name' | 'key' | 'treeDigest'> {
  return {
    name: decision.name,
    ...(decision.status === 'undecided' ? {} : { key: decision.key }),
    ...('record' in decision ? { treeDigest: decision.record.treeDigest } : {}),
  }
}

function expected(last: PastBuild | undefined): Pick<PlannedLayer, 'expectedMs' | 'expectedBytes'> {
  if (last === undefined) return {}
  const expectedMs = expectedDuration([last])
  return { ...(expectedMs === undefined ? {} : { expectedMs }), expectedBytes: artifactBytes(last) }
}

function decisionOf(decisions: ReadonlyMap<LayerName, Decision>, name: LayerName): Decision {
  const found = decisions.get(name)
  if (found === undefined) throw new Error(`nothing was decided about ${name}`)
  return found
}
