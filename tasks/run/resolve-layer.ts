// All inputs of a layer, each by whoever knows its kind.

import type { RunContext } from '../context.ts'
import type { GraphLayer } from '../plan/graph.ts'
import { layerInputs, type LayerInput } from '../plan/inputs.ts'
import type { CatalogInput, LayerName } from '../plan/recipe.ts'
import type { Store } from '../../cache/store.ts'
import type { Remotes } from './remotes.ts'
import type { Compile } from './catalog-compile.ts'
import { resolveCatalog } from './catalog.ts'
import type { DecisionOf, Resolution } from './decide.ts'
import type { LocalInput } from './inputs.ts'
import type { Lock } from './lockfile.ts'
import { resolveMedium } from './medium.ts'
import type { ResolvedInput } from './resolved.ts'
import { resolveTemplate } from './template-input.ts'

export interface ResolveOptions {
  readonly context: RunContext
  readonly store: Store
  readonly lock: Lock
  readonly remotes: () => Promise<Remotes | undefined>
  /** Also values that were known before are sent to remotes, not only new ones. */
  readonly sharesKnown: boolean
  /** `place` is layer and input, for messages and scripts: `role:web 0.script`. */
  readonly read: (declaration: LocalInput, place: string) => Promise<ResolvedInput>
  /** Folder of an unpacked tool tree, by the key it was built under. */
  readonly toolsOf: (key: string) => Promise<string>
  /** Used instead of starting puppet for every catalog. */
  readonly compile?: Compile
}

/** A catalog is compiled by its layer's tool tree; while that is not built, the layer waits for it. */
export async function resolveLayer(
  entry: GraphLayer,
  decisionOf: DecisionOf,
  options: ResolveOptions,
): Promise<Resolution> {
  const declared = layerInputs(entry)
  const waitsFor = new Set<LayerName>()
  const inputs: Record<string, ResolvedInput> = {}
  for (const input of declared) {
    const resolved = await resolveOne(entry, input, { ...options, decisionOf })
    if ('waitsFor' in resolved) waitsFor.add(resolved.waitsFor)
    else inputs[input.name] = resolved
  }
  return waitsFor.size > 0 ? { waitsFor: [...waitsFor] } : { inputs }
}

async function resolveOne(
  entry: GraphLayer,
  input: LayerInput,
  options: ResolveOptions & { readonly decisionOf: DecisionOf },
): Promise<ResolvedInput | { readonly waitsFor: LayerName }> {
  const { declaration } = input
  switch (declaration.kind) {
    case 'apt':
      return { ...(await options.lock.resolve(declaration)), seen: [options.lock.path] }
    case 'catalog':
      return resolveCatalogWith(declaration, input, { ...options, place: `${entry.name} ${input.name}` })
    case 'medium':
      return resolveMedium(declaration, options)
    case 'template':
      return resolveTemplate(declaration, options)
    case 'text':
    case 'files':
    case 'env':
    case 'script':
    case 'secret':
      return options.read(declaration, `${entry.name} ${input.name}`)
  }
  return declaration satisfies never
}

async function resolveCatalogWith(
  declaration: CatalogInput,
  input: LayerInput,
  options: ResolveOptions & { readonly decisionOf: DecisionOf; readonly place: string },
): Promise<ResolvedInput | { readonly waitsFor: LayerName }> {
  const { tools } = input
  if (tools === undefined) throw new Error(`${input.name} has no tool tree to compile its catalog in`)
  const decision = options.decisionOf(tools)
  // A folder that is not there is said before its compiler is built.
  const environment = await options.read(
    { kind: 'files', base: declaration.environment, patterns: ['**'] },
    options.place,
  )
  if (!('record' in decision)) return { waitsFor: tools }
  let compiles = true
  try {
    const resolved = await resolveCatalog(declaration, {
      tools: () => {
        compiles = decision.status === 'cached' && decision.remote === undefined
        return compiles ? options.toolsOf(decision.key) : Promise.reject(new Error(`${tools} is not here`))
      },
      toolsDigest: decision.record.treeDigest,
      ...(options.compile === undefined ? {} : { compile: options.compile }),
      context: options.context,
      store: sharedValues(options),
      environmentFiles: environment.files,
    })
    return { ...resolved, ...(environment.seen === undefined ? {} : { seen: environment.seen }) }
  } catch (error) {
    // A remembered catalog needs no tools; a new one waits for them.
    if (!compiles) return { waitsFor: tools }
    throw error
  }
}

/** What others compiled from the same files need not be compiled here, and the other way round. */
function sharedValues({
  store,
  remotes,
  sharesKnown,
}: ResolveOptions): Pick<Store, 'readValue' | 'writeValue'> {
  return {
    readValue: async (name) => {
      const here = await store.readValue(name)
      if (here !== undefined && sharesKnown) (await remotes())?.shareValue(name, here)
      if (here !== undefined) return here
      const there = await (await remotes())?.readValue(name)
      if (there !== undefined) await store.writeValue(name, there)
      return there
    },
    writeValue: async (name, value) => {
      await store.writeValue(name, value)
      const shared = await remotes()
      shared?.shareValue(name, Buffer.from(value))
    },
  }
}
