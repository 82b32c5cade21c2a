// One layer's turn in a build: decided again now that what it stands on is there, and built if no record answers.

import type { LayerRecord } from '../../cache/store.ts'
import type { CachedLayer, Decision, Keyed } from '../plan/decision.ts'
import { renderChange } from '../plan/change.ts'
import { type GraphLayer, layerOf } from '../plan/graph.ts'
import { makeFacts } from '../plan/inputs.ts'
import type { Outcome } from '../plan/outcome.ts'
import type { Plan } from '../plan/plan.ts'
import type { LayerName } from '../plan/recipe.ts'
import { ImgError } from '../errors.ts'
import type { OpenBench } from './bench.ts'
import { decideLayer, decisionIn, type Decisions } from './decide.ts'
import { executeLayer } from './execute.ts'
import { makeOracle } from './oracle.ts'
import type { Project } from './project.ts'
import type { ResolvedInput } from './resolved.ts'

/** What the turns of one build share; decisions are replaced as layers are built. */
export interface Running {
  /** What was asked for by name: its files must be here in the end. */
  readonly wanted: ReadonlySet<LayerName>
  readonly plan: Plan
  readonly decisions: Decisions
  readonly bench: OpenBench
}

/** What the layer became; a failure is an outcome, only a mistake in the program rejects. */
export async function runLayer(
  project: Project,
  name: LayerName,
  running: Running & { readonly signal: AbortSignal },
): Promise<Outcome> {
  const { emit, now } = project.context
  const started = now()
  const outcome = await bringUpToDate(project, name, running).catch((error: unknown): Outcome => {
    if (!(error instanceof ImgError)) throw error
    const { signal } = running
    // What we stopped ourselves did not fail.
    if (signal.aborted && error.code === 'INTERRUPTED')
      return { status: 'cancelled', because: reasonOf(signal) }
    return { status: 'failed', error: withLayer(error, name), ms: now() - started }
  })
  emit({ event: 'layer-end', layer: name, outcome })
  return outcome
}

async function bringUpToDate(
  project: Project,
  name: LayerName,
  running: Running & { readonly signal: AbortSignal },
): Promise<Outcome> {
  const { graph, context, store } = project
  const { decisions, bench, plan, signal, wanted } = running
  const started = context.now()
  const entry = layerOf(graph, name)
  const decisionOf = (need: LayerName): Decision<ResolvedInput> => decisionIn(decisions, need)
  // What it stands on may have been built a moment ago: asked again, it has a key now, and perhaps a record.
  const decision = await decideLayer(entry, decisionOf, makeOracle(project))
  decisions.set(name, decision)
  if (decision.status === 'cached' && decision.remote === undefined)
    return { status: 'unchanged', key: decision.key, ms: context.now() - started }
  if (decision.status === 'undecided') throw new Error(`${name} still has no key`)
  const isElsewhere = decision.status === 'gone' || decision.status === 'cached'
  if (
    isElsewhere &&
    !wanted.has(name) &&
    plan.layers.find((layer) => layer.name === name)?.action === 'undecided'
  ) {
    // Its files are needed only if something on it is built; that brings them then.
    return { status: 'unchanged', key: decision.key, ms: context.now() - started }
  }
  const onWait = ({ pid }: { readonly pid: number | undefined }): void =>
    context.emit({
      event: 'waiting',
      layer: name,
      for: pid === undefined ? 'another build' : `process ${pid}`,
    })
  return store.withKeyLock(decision.key, { onWait, signal }, async () => {
    const found = await store.find(decision.key)
    if (found.hit) {
      decisions.set(name, { ...decision, status: 'cached', record: found.record, remote: undefined })
      return { status: 'reused', key: decision.key, ms: context.now() - started }
    }
    const fetched = decision.status === 'cached' ? await fetchLayer(project, name, decision) : undefined
    if (fetched !== undefined) {
      decisions.set(name, { ...decision, status: 'cached', record: fetched, remote: undefined })
      return { status: 'fetched', key: decision.key, ms: context.now() - started }
    }
    for (const need of entry.needs) {
      if (!isHere(decisionOf(need))) await bring(project, need, running)
    }
    const expectedMs = plan.layers.find((layer) => layer.name === name)?.expectedMs
    context.emit({
      event: 'layer-start',
      layer: name,
      key: decision.key,
      ...(expectedMs === undefined ? {} : { expectedMs }),
    })
    warn(project, entry, decision)
    const again = { ...project, context: { ...context, signal } }
    const record = await executeLayer(entry, decision, {
      bench: bench.over(again, decisionOf),
      context: again.context,
      because: reasons(decision),
    })
    decisions.set(name, { ...decision, status: 'cached', record, remote: undefined })
    ;(await project.remotes())?.share(record)
    return { status: 'built', key: decision.key, ms: context.now() - started }
  })
}

/** Undefined when it cannot be had, which is a warning: then it is built. */
async function fetchLayer(
  project: Project,
  name: LayerName,
  decision: CachedLayer<ResolvedInput>,
): Promise<LayerRecord | undefined> {
  const { emit } = project.context
  const remotes = await project.remotes()
  const found = await remotes?.find(decision.key)
  if (remotes === undefined || found === undefined) return undefined
  emit({ event: 'fetch-start', layer: name, key: decision.key, from: found.name })
  try {
    return await remotes.fetch(found)
  } catch (error) {
    if (!(error instanceof ImgError) || error.code !== 'REMOTE_FAILED') throw error
    emit({ event: 'warning', layer: name, text: error.message, hint: 'it is built here instead' })
    return undefined
  }
}

const isHere = (decision: Decision): boolean => decision.status === 'cached' && decision.remote === undefined

function reasons(decision: Exclude<Decision<ResolvedInput>, { status: 'undecided' }>): readonly string[] {
  switch (decision.status) {
    case 'missing':
      return decision.changes.map(renderChange)
    case 'gone':
      return [decision.reason]
    case 'cached':
      return [`could not be fetched from ${decision.remote}`]
  }
  return decision satisfies never
}

/** What its recipes want people to know, told when it is built. */
function warn(project: Project, entry: GraphLayer, keyed: Keyed<ResolvedInput>): void {
  for (const [place, facts] of makeFacts(entry, keyed.inputs).entries()) {
    for (const { path, line, text, hint } of entry.layer.recipes[place]?.warnings?.(facts) ?? []) {
      const where = path === undefined ? '' : line === undefined ? `${path}: ` : `${path}:${line}: `
      const told = { text: `${where}${text}`, ...(hint === undefined ? {} : { hint }) }
      project.context.emit({ event: 'warning', layer: entry.name, ...told })
    }
  }
}

/** A layer whose files are not here, fetched or built again because one standing on it must be built. */
async function bring(
  project: Project,
  name: LayerName,
  running: Running & { readonly signal: AbortSignal },
): Promise<void> {
  const layers = running.plan.layers.map((layer) =>
    layer.name === name ? { ...layer, action: 'build' as const } : layer,
  )
  const outcome = await runLayer(project, name, { ...running, plan: { layers } })
  if (outcome.status === 'failed') throw outcome.error
}

/** A reason somebody gave in words, else that of Ctrl-C. */
function reasonOf({ reason }: AbortSignal): string {
  return typeof reason === 'string' ? reason : 'interrupted'
}

function withLayer(error: ImgError, layer: LayerName): ImgError {
  return error.fields.layer === undefined
    ? new ImgError(error.code, error.message, { ...error.fields, layer, cause: error })
    : error
}
