// A build as a straight line: select, decide, plan, schedule, execute, report. Each station is a module of its own.

import type { LayerRecord } from '../cache/store.ts'
import type { Backend } from './backends/backend.ts'
import type { Decision } from './plan/decision.ts'
import { layerOf } from './plan/graph.ts'
import type { Outcome } from './plan/outcome.ts'
import { makePlan, type Plan } from './plan/plan.ts'
import type { LayerName } from './plan/recipe.ts'
import { select } from './plan/select.ts'
import { openBench, type OpenBench } from './run/bench.ts'
import { type BuildBasis, buildBasis } from './run/build-basis.ts'
import { checkLayer } from './run/check.ts'
import { decideLayers } from './run/decide.ts'
import { makeOracle } from './run/oracle.ts'
import type { Project } from './run/project.ts'
import type { ResolvedInput } from './run/resolved.ts'
import { decisionIn, type Decisions, runLayer, type Running } from './run/run-layer.ts'
import { schedule, type ScheduleOptions } from './run/schedule.ts'
import { removeAbandoned } from './run/workspace.ts'

export interface BuildOptions {
  readonly mode: ScheduleOptions['mode']
  /** Layers at once; as many as the machine has memory and cores for when absent. */
  readonly jobs?: number
  /** Build the selected layers once more and compare. */
  readonly check: boolean
  /** Used instead of all there are. */
  readonly backends?: readonly Backend[]
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
  const bench = await openBench(project, wanted, options.backends)
  try {
    await removeAbandoned(project.context.cacheDir)
    if (await bench.prepare(todo.map(({ name }) => name))) return await runBuild(project, selectors, options)
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

async function runPlan(
  project: Project,
  running: Running & { readonly options: BuildOptions },
): Promise<ReadonlyMap<LayerName, Outcome>> {
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
