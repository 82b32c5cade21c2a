// Asks the world about each layer, parents first: what its inputs are, whether its key was built, what was built before.

import { type Change, renderChanges } from '../plan/change.ts'
import {
  checkInputs,
  type Content,
  contentOf,
  type Decision,
  type IfSame,
  type Keyed,
  keyLayer,
  likelyContentOf,
} from '../plan/decision.ts'
import { explain } from '../plan/explain.ts'
import { closure, type Graph, type GraphLayer, layerOf } from '../plan/graph.ts'
import type { PastBuild } from '../plan/past-build.ts'
import type { LayerName } from '../plan/recipe.ts'
import type { ResolvedInput } from './resolved.ts'

/** The questions, so that a plan of 100,000 layers can be tested without a world. */
export interface Oracle {
  /** Debian's name of the architecture. */
  readonly arch: string
  /** All inputs of a layer by their layer-wide names; or the tool trees that must be built before they can be known. */
  resolve(entry: GraphLayer, decisionOf: DecisionOf): Promise<Resolution>
  find(key: string): Promise<Lookup>
  /** Newest build of a layer of this name, whatever its key. */
  latest(layer: LayerName): Promise<PastBuild | undefined>
}

export type Decisions = Map<LayerName, Decision<ResolvedInput>>

export type DecisionOf = (name: LayerName) => Decision<ResolvedInput>

export type Resolution =
  | { readonly inputs: Readonly<Record<string, ResolvedInput>> }
  | { readonly waitsFor: readonly LayerName[] }

/** A store's Found is one. */
export type Lookup =
  | {
      readonly hit: true
      readonly record: PastBuild
      readonly remote?: string
      readonly missingBytes?: number
    }
  /** `record` when only the artifact's bytes are gone. */
  | { readonly hit: false; readonly reason: string; readonly record?: PastBuild }

/** Decides the wanted layers and all they stand on; `concurrency` layers at a time are asked about. */
export async function decideLayers(
  graph: Graph,
  wanted: Iterable<LayerName>,
  oracle: Oracle & { readonly concurrency?: number },
): Promise<Map<LayerName, Decision<ResolvedInput>>> {
  const decisions = new Map<LayerName, Decision<ResolvedInput>>()
  const decisionOf: DecisionOf = (name) => decisions.get(name) ?? unknown(name)
  const rounds = inRounds(graph, closure(graph, wanted))
  for (const round of rounds) {
    const rest = round.values()
    const work = async (): Promise<void> => {
      for (const entry of rest) decisions.set(entry.name, await decideLayer(entry, decisionOf, oracle))
    }
    await Promise.all(Array.from({ length: Math.min(oracle.concurrency ?? 8, round.length) }, work))
  }
  return decisions
}

/** Decides one layer whose parents and tool trees are decided; again after one of them was built. */
export async function decideLayer(
  entry: GraphLayer,
  decisionOf: DecisionOf,
  oracle: Oracle,
): Promise<Decision<ResolvedInput>> {
  const resolution = await oracle.resolve(entry, decisionOf)
  const unknownParents = entry.needs.filter((name) => contentOf(decisionOf(name)) === undefined)
  const forInputs = 'waitsFor' in resolution ? resolution.waitsFor : []
  const waitsFor = [...new Set([...unknownParents, ...forInputs])]
  const inputs = 'inputs' in resolution ? resolution.inputs : undefined
  const { name } = entry
  if (waitsFor.length === 0 && inputs !== undefined) {
    const parents = contents(entry, (need) => contentOf(decisionOf(need)))
    const keyed = parents && keyLayer(entry, { arch: oracle.arch, inputs, parents })
    return keyed === undefined ? unknown(name) : decideKeyed(keyed, oracle)
  }
  const latest = await oracle.latest(name)
  const likely = contents(entry, (need) => likelyContentOf(decisionOf(need)))
  const asBefore = inputs && likely && keyLayer(entry, { arch: oracle.arch, inputs, parents: likely })
  if (inputs !== undefined && asBefore === undefined) checkInputs(entry, inputs)
  const ifSame = asBefore && (await decideIfSame(asBefore, { oracle, latest }))
  return { status: 'undecided', name, waitsFor, ifSame, latest }
}

async function decideKeyed(keyed: Keyed<ResolvedInput>, oracle: Oracle): Promise<Decision<ResolvedInput>> {
  const lookup = await oracle.find(keyed.key)
  if (lookup.hit) {
    const { record, remote, missingBytes } = lookup
    return {
      ...keyed,
      status: 'cached',
      record,
      remote,
      ...(missingBytes === undefined ? {} : { missingBytes }),
    }
  }
  if (lookup.record !== undefined) {
    return { ...keyed, status: 'gone', record: lookup.record, reason: lookup.reason }
  }
  const latest = await oracle.latest(keyed.name)
  return { ...keyed, status: 'missing', latest, ...whyBuilt(keyed, { latest, missed: lookup.reason }) }
}

/** What would be found under the key the layer has if everything below stays as it was. */
async function decideIfSame(
  asBefore: Keyed,
  facts: { readonly oracle: Oracle; readonly latest: PastBuild | undefined },
): Promise<IfSame> {
  const lookup = await facts.oracle.find(asBefore.key)
  if (lookup.hit) return { action: 'reuse', record: lookup.record }
  return { action: 'build', ...whyBuilt(asBefore, { latest: facts.latest, missed: lookup.reason }) }
}

/** The difference to the last build; where there is none, what the store said is the whole reason. */
function whyBuilt(
  keyed: Keyed,
  facts: { readonly latest: PastBuild | undefined; readonly missed: string },
): { reason: string; changes: readonly Change[] } {
  const changes = facts.latest?.key === keyed.key ? [] : explain(facts.latest, keyed)
  return { changes, reason: changes.length === 0 ? facts.missed : renderChanges(changes) }
}

/** The content of everything the layer needs, or undefined when one is unknown. */
function contents(
  entry: GraphLayer,
  of: (name: LayerName) => Content | undefined,
): Readonly<Record<LayerName, Content>> | undefined {
  const known: Record<LayerName, Content> = {}
  for (const name of entry.needs) {
    const content = of(name)
    if (content === undefined) return undefined
    known[name] = { key: content.key, treeDigest: content.treeDigest }
  }
  return known
}

/** Layers whose parents are all in earlier rounds, round by round. */
function inRounds(graph: Graph, names: readonly LayerName[]): GraphLayer[][] {
  const depths = new Map<LayerName, number>()
  const rounds: GraphLayer[][] = []
  for (const name of names) {
    const entry = layerOf(graph, name)
    const depth = entry.needs.reduce((most, need) => Math.max(most, (depths.get(need) ?? 0) + 1), 0)
    depths.set(name, depth)
    const round = rounds[depth]
    if (round === undefined) rounds[depth] = [entry]
    else round.push(entry)
  }
  return rounds
}

function unknown(name: LayerName): never {
  throw new Error(`${name} was asked about before what it stands on`)
}

/** What was decided about a layer of the closure. */
export function decisionIn(decisions: Decisions, name: LayerName): Decision<ResolvedInput> {
  const decision = decisions.get(name)
  if (decision === undefined) throw new Error(`nothing was decided about ${name}`)
  return decision
}
