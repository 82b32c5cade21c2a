// Carries a plan out: bench, schedule, layers' turns, check.

import type { Decision } from '../plan/decision.ts'
import { layerOf } from '../plan/graph.ts'
import type { Outcome } from '../plan/outcome.ts'
import type { Plan } from '../plan/plan.ts'
import type { LayerName } from '../plan/recipe.ts'
import { type BenchOptions, openBench } from './bench.ts'
import { checkLayer } from './check.ts'
import { decisionIn, type Decisions } from './decide.ts'
import type { Project } from './project.ts'
import type { ResolvedInput } from './resolved.ts'
import { runLayer, type Running } from './run-layer.ts'
import { schedule, type ScheduleOptions } from './schedule.ts'

export interface BuildOptions extends BenchOptions {
  readonly mode: ScheduleOptions['mode']
  /** Layers at once; as many as the machine has memory and cores for when absent. */
  readonly jobs?: number
  /** Build the selected layers once more and compare. */
  readonly check: boolean
}

export interface Planned {
  readonly wanted: readonly LayerName[]
  readonly plan: Plan
  readonly decisions: Decisions
}

/** Outcomes of what was to be done; `void` when the lock was pinned anew, so that there is another plan to make. */
export async function carryOut(
  project: Project,
  { wanted, plan, decisions }: Planned,
  options: BuildOptions,
): Promise<ReadonlyMap<LayerName, Outcome> | 'void'> {
  const todo = plan.layers.filter(({ action }) => todoActions.has(action))
  const bench = await openBench(project, wanted, options)
  try {
    const builds = todo.filter(({ action }) => action !== 'fetch')
    if (builds.length > 0 && (await bench.prepare(builds.map(({ name }) => name)))) return 'void'
    const running = { plan, decisions, bench, wanted: new Set(wanted) }
    const outcomes = await runPlan(project, { ...running, options, todo })
    const statuses = new Set([...outcomes.values()].map(({ status }) => status))
    if (statuses.has('failed') && (await bench.recover())) return 'void'
    const isWell = !statuses.has('failed') && !statuses.has('cancelled')
    if (options.check && isWell) await checkWanted(project, wanted, running)
    return outcomes
  } finally {
    await bench.close()
  }
}

const todoActions: ReadonlySet<string> = new Set(['build', 'undecided', 'fetch'])

async function runPlan(
  project: Project,
  running: Running & { readonly options: BuildOptions; readonly todo: Plan['layers'] },
): Promise<ReadonlyMap<LayerName, Outcome>> {
  const { bench, options, todo } = running
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
  { decisions, bench }: Running,
): Promise<void> {
  const decisionOf = (need: LayerName): Decision<ResolvedInput> => decisionIn(decisions, need)
  for (const name of wanted) {
    const decision = decisionOf(name)
    if (decision.status !== 'cached') continue
    const own = bench.over(project, decisionOf)
    await checkLayer(layerOf(project.graph, name), decision, { bench: own, context: project.context })
  }
}
