// What is known about a layer before anything is built. Pure values; tasks/run/decide.ts asks the world for them.

import type { Change } from './change.ts'
import type { GraphLayer } from './graph.ts'
import { type InputFacts, makeFacts, parentSlots } from './inputs.ts'
import { computeKey, type KeyRecord } from './key.ts'
import type { PastBuild } from './past-build.ts'
import { makePhases, type Phase } from './phases.ts'
import type { LayerName } from './recipe.ts'

export type Decision<Input extends InputFacts = InputFacts> =
  | CachedLayer<Input>
  | GoneLayer<Input>
  | MissingLayer<Input>
  | UndecidedLayer

/** Its artifact is in the store, or in the named remote. */
export interface CachedLayer<Input extends InputFacts = InputFacts> extends Keyed<Input> {
  readonly status: 'cached'
  readonly record: PastBuild
  readonly remote: string | undefined
  /** At most what comes from the remote: packs that are not in the store. */
  readonly missingBytes?: number
}

/** Built before, so what stands on it has a key; but its files are gone and must be built again if they are needed. */
interface GoneLayer<Input extends InputFacts = InputFacts> extends Keyed<Input> {
  readonly status: 'gone'
  readonly record: PastBuild
  readonly reason: string
}

/** Not built under this key. */
interface MissingLayer<Input extends InputFacts = InputFacts> extends Keyed<Input> {
  readonly status: 'missing'
  readonly reason: string
  readonly changes: readonly Change[]
  readonly latest: PastBuild | undefined
}

/** Has no key yet: a parent's content is unknown, or an input needs a tool tree that is not built. */
export interface UndecidedLayer {
  readonly status: 'undecided'
  readonly name: LayerName
  /** Layers that must be there before this one has a key. */
  readonly waitsFor: readonly LayerName[]
  /** What happens when all it waits for comes out as before; undefined when there is no before. */
  readonly ifSame: IfSame | undefined
  readonly latest: PastBuild | undefined
}

export type IfSame =
  | { readonly action: 'reuse'; readonly record: PastBuild }
  | { readonly action: 'build'; readonly reason: string; readonly changes: readonly Change[] }

/** Everything a build of the layer needs to be told. */
export interface Keyed<Input extends InputFacts = InputFacts> {
  readonly name: LayerName
  readonly key: string
  readonly keyRecord: KeyRecord
  readonly phases: readonly Phase[]
  readonly inputs: Readonly<Record<string, Input>>
  readonly parents: Readonly<Record<LayerName, Content>>
}

/** What a built layer is to those standing on it. */
export interface Content {
  readonly key: string
  readonly treeDigest: string
}

/** Computes the key of a layer whose inputs and parents are known. */
export function keyLayer<Input extends InputFacts>(
  entry: GraphLayer,
  known: {
    readonly arch: string
    readonly inputs: Readonly<Record<string, Input>>
    readonly parents: Readonly<Record<LayerName, Content>>
  },
): Keyed<Input> {
  const phases = makePhases(entry, makeFacts(entry, known.inputs))
  const inKey = Object.entries(known.inputs).filter(([, input]) => input.inKey)
  const slots = [...parentSlots(entry)].map(([slot, name]): [string, string] => {
    const parent = known.parents[name]
    if (parent === undefined) throw new Error(`${entry.name} has no key while ${name} is unknown`)
    return [slot, parent.treeDigest]
  })
  const { key, record } = computeKey({
    arch: known.arch,
    phases,
    inputs: Object.fromEntries(inKey.map(([name, input]) => [name, input.digest])),
    parents: Object.fromEntries(slots),
  })
  return { name: entry.name, key, keyRecord: record, phases, inputs: known.inputs, parents: known.parents }
}

/** What its recipes say against inputs that are known, said before anything is built that it stands on. */
export function checkInputs(entry: GraphLayer, inputs: Readonly<Record<string, InputFacts>>): void {
  makePhases(entry, makeFacts(entry, inputs))
}

/** The content of a layer, when it is known. */
export function contentOf(decision: Decision): Content | undefined {
  return 'record' in decision ? decision.record : undefined
}

/** The content a layer most likely has or will have: what `undecided` is judged by. */
export function likelyContentOf(decision: Decision): Content | undefined {
  if ('record' in decision) return decision.record
  const asBefore = decision.status === 'undecided' && decision.ifSame?.action === 'reuse'
  return asBefore ? decision.ifSame.record : decision.latest
}
