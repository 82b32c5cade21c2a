// A build as a straight line: select, decide, plan, schedule, execute, report. Each station is a module of its own.

import type { LayerRecord } from '../cache/store.ts'
import { renderChange } from './plan/change.ts'
import type { Decision } from './plan/decision.ts'
import { layerOf } from './plan/graph.ts'
import type { Outcome } from './plan/outcome.ts'
import { makePlan, type Plan } from './plan/plan.ts'
import type { LayerName } from './plan/recipe.ts'
import { select } from './plan/select.ts'
import { type BuildBasis, buildBasis } from './run/build-basis.ts'
import { checkLayer } from './run/check.ts'
import { decideLayer, decideLayers } from './run/decide.ts'
import { executeLayer } from './run/execute.ts'
import { makeOracle } from './run/oracle.ts'
import type { Project } from './run/project.ts'
import type { ResolvedInput } from './run/resolved.ts'
import { schedule, type ScheduleOptions } from './run/schedule.ts'
import { openBench, type OpenBench } from './run/bench.ts'
import { removeAbandoned } from './run/workspace.ts'
import { ImgError } from './errors.ts'

export interface BuildOptions {
  readonly mode: ScheduleOptions['mode']
  /** Layers at once; as many as the machine has memory and cores for when absent. */
  readonly jobs?: number
  /** Build the selected layers once more and compare. */
  readonly check: boolean
  /** Used instead of this machine's backends. */
  readonly bench?: OpenBench
}

export interface BuildResult {
  /** Parents first; layers nobody needed are left out. */
  readonly layers: readonly BuiltLayer[]
  /** What the result rests on, when all is well and files can tell whether it still holds. */
  readonly basis?: BuildBasis
}

export interface BuiltLayer {
  readonly name: LayerName
  readonly outcome: Outcome
  readonly record?: LayerRecord
}

type Decisions = Map<LayerName, Decision<ResolvedInput>>

/** No selectors: every layer. The result has what they stand on, too, parents first. */
export async function planBuild(project: Project, selectors: readonly string[]): Promise<Plan> {
  const wanted = selected(project, selectors)
  return makePlan(project.graph, wanted, await decideLayers(project.graph, wanted, makeOracle(project)))
}

export async function runBuild(
  project: Project,
  selectors: readonly string[],
  options: BuildOptions,
): Promise<BuildResult> {
  const wanted = selected(project, selectors)
  const decisions = await decideLayers(project.graph, wanted, makeOracle(project))
  const plan = makePlan(project.graph, wanted, decisions)
  const todo = plan.layers.filter(({ action }) => action === 'build' || action === 'undecided')
  project.context.emit({ event: 'plan', layers: plan.layers.length, builds: todo.length })
  const result = (layers: readonly BuiltLayer[]): BuildResult =>
    withBasis(project, wanted, { layers, decisions })
  if (todo.length === 0 && !options.check) return result(reused(plan, decisions))
  const bench = options.bench ?? (await openBench(project, wanted))
  try {
    await removeAbandoned(project.context.cacheDir)
    if (await bench.prepare()) return await runBuild(project, selectors, options)
    const outcomes = await runPlan(project, { plan, decisions, bench, options })
    const failed = [...outcomes.values()].some(({ status }) => status === 'failed')
    if (failed && (await bench.recover())) return await runBuild(project, selectors, options)
    const ended = plan.layers.flatMap(({ name, action }) =>
      action === 'skip' ? [] : [built(name, outcomes.get(name) ?? reusedOutcome(decisions, name), decisions)],
    )
    if (options.check) await checkWanted(project, wanted, { ended, decisions, bench })
    return result(ended)
  } finally {
    await bench.close()
  }
}

/** What the layers' tasks share: decisions are replaced as layers are built. */
interface Running {
  readonly plan: Plan
  readonly decisions: Decisions
  readonly bench: OpenBench
  readonly options: BuildOptions
}

async function runPlan(project: Project, running: Running): Promise<ReadonlyMap<LayerName, Outcome>> {
  const { plan, bench, options } = running
  const todo = plan.layers.filter(({ action }) => action === 'build' || action === 'undecided')
  const layers = todo.map(({ name, expectedMs }) => ({
    name,
    needs: layerOf(project.graph, name).needs,
    weight: bench.weightOf(name),
    ...(expectedMs === undefined ? {} : { expectedMs }),
  }))
  return schedule(layers, {
    run: (name, signal) => runLayer(project, name, { ...running, signal }),
    budgets: bench.budgets(options.jobs),
    mode: options.mode,
    signal: project.context.signal,
    now: project.context.now,
  })
}

async function runLayer(
  project: Project,
  name: LayerName,
  running: Running & { readonly signal: AbortSignal },
): Promise<Outcome> {
  const { emit, now } = project.context
  const started = now()
  const outcome = await bringUpToDate(project, name, running).catch((error: unknown): Outcome => {
    if (!(error instanceof ImgError)) throw error
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
  const { decisions, bench, plan, signal } = running
  const started = context.now()
  const entry = layerOf(graph, name)
  const decisionOf = (need: LayerName): Decision<ResolvedInput> => decisionIn(decisions, need)
  // What it stands on may have been built a moment ago: asked again, it has a key now, and perhaps a record.
  const decision = await decideLayer(entry, decisionOf, makeOracle(project))
  decisions.set(name, decision)
  if (decision.status === 'cached')
    return { status: 'unchanged', key: decision.key, ms: context.now() - started }
  if (decision.status === 'undecided') throw new Error(`${name} still has no key`)
  if (
    decision.status === 'gone' &&
    plan.layers.find((layer) => layer.name === name)?.action === 'undecided'
  ) {
    // Its files are needed only if something on it is built; that builds it then.
    return { status: 'unchanged', key: decision.key, ms: context.now() - started }
  }
  for (const need of entry.needs) {
    if (decisionOf(need).status === 'gone') await bringGone(project, need, running)
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
    const expectedMs = plan.layers.find((layer) => layer.name === name)?.expectedMs
    context.emit({
      event: 'layer-start',
      layer: name,
      key: decision.key,
      ...(expectedMs === undefined ? {} : { expectedMs }),
    })
    const again = { ...project, context: { ...context, signal } }
    const record = await executeLayer(entry, decision, {
      bench: bench.over(again, decisionOf),
      context: again.context,
      because: decision.status === 'missing' ? decision.changes.map(renderChange) : [decision.reason],
    })
    decisions.set(name, { ...decision, status: 'cached', record, remote: undefined })
    return { status: 'built', key: decision.key, ms: context.now() - started }
  })
}

/** A layer whose files were collected, built again because one standing on it must be built. */
async function bringGone(
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

async function checkWanted(
  project: Project,
  wanted: readonly LayerName[],
  running: {
    readonly ended: readonly BuiltLayer[]
    readonly decisions: Decisions
    readonly bench: OpenBench
  },
): Promise<void> {
  if (running.ended.some(({ outcome }) => outcome.status === 'failed' || outcome.status === 'cancelled'))
    return
  const decisionOf = (need: LayerName): Decision<ResolvedInput> => decisionIn(running.decisions, need)
  for (const name of wanted) {
    const decision = decisionOf(name)
    if (decision.status !== 'cached') continue
    const bench = running.bench.over(project, decisionOf)
    await checkLayer(layerOf(project.graph, name), decision, { bench, context: project.context })
  }
}

function withBasis(
  project: Project,
  wanted: readonly LayerName[],
  { layers, decisions }: { readonly layers: readonly BuiltLayer[]; readonly decisions: Decisions },
): BuildResult {
  const basis = buildBasis(project, wanted, decisions)
  return { layers, ...(basis === undefined ? {} : { basis }) }
}

function selected(project: Project, selectors: readonly string[]): readonly LayerName[] {
  return selectors.length === 0
    ? project.loaded.imgfile.layers.map(({ name }) => name)
    : select(project.graph, selectors)
}

function reused(plan: Plan, decisions: Decisions): readonly BuiltLayer[] {
  const kept = plan.layers.filter(({ action }) => action === 'reuse')
  return kept.map(({ name }) => built(name, reusedOutcome(decisions, name), decisions))
}

function reusedOutcome(decisions: Decisions, name: LayerName): Outcome {
  const decision = decisionIn(decisions, name)
  if (decision.status === 'undecided') return { status: 'cancelled', because: 'interrupted' }
  return { status: 'reused', key: decision.key, ms: 0 }
}

function built(name: LayerName, outcome: Outcome, decisions: Decisions): BuiltLayer {
  const decision = decisionIn(decisions, name)
  return decision.status === 'cached' && outcome.status !== 'failed' && outcome.status !== 'cancelled'
    ? { name, outcome, record: decision.record as LayerRecord }
    : { name, outcome }
}

function decisionIn(decisions: Decisions, name: LayerName): Decision<ResolvedInput> {
  const decision = decisions.get(name)
  if (decision === undefined) throw new Error(`nothing was decided about ${name}`)
  return decision
}

function withLayer(error: ImgError, layer: LayerName): ImgError {
  return error.fields.layer === undefined
    ? new ImgError(error.code, error.message, { ...error.fields, layer, cause: error })
    : error
}
