// A build as a straight line: select, decide, plan, schedule, execute, report. Each station is a module of its own.

import type { LayerRecord } from '../cache/store.ts'
import { ImgError } from './errors.ts'
import type { Outcome } from './plan/outcome.ts'
import { checkTools } from './plan/check-tools.ts'
import { makePlan, type Plan } from './plan/plan.ts'
import type { LayerName } from './plan/recipe.ts'
import { select } from './plan/select.ts'
import { type BuildBasis, buildBasis } from './run/build-basis.ts'
import type { BuildOptions } from './run/carry-out.ts'
import { decideLayers, decisionIn, type Decisions } from './run/decide.ts'
import { makeOracle } from './run/oracle.ts'
import type { Project } from './run/project.ts'
import { recordRun, type RunRecord } from './run/run-record.ts'
import { removeAbandoned } from './run/workspace.ts'

export interface BuildResult {
  /** Parents first; layers nobody needed are left out. */
  readonly layers: readonly BuiltLayer[]
  /** What the result rests on, when all is well and files can tell whether it still holds. */
  readonly basis?: BuildBasis
  /** When something was to be done. */
  readonly run?: RunRecord
}

export interface BuiltLayer {
  readonly name: LayerName
  readonly outcome: Outcome
  readonly record?: LayerRecord
}

/** No selectors: every layer. The result has what they stand on, too, parents first. `check` may refuse what was decided. */
export async function planBuild(
  project: Project,
  selectors: readonly string[],
  check?: (decisions: Decisions) => void,
): Promise<Plan> {
  const wanted = selected(project, selectors)
  const decisions = await decideLayers(project.graph, wanted, makeOracle(project))
  check?.(decisions)
  return makePlan(project.graph, wanted, decisions)
}

export async function runBuild(
  project: Project,
  selectors: readonly string[],
  options: BuildOptions,
): Promise<BuildResult> {
  const wanted = selected(project, selectors)
  await removeAbandoned(project.context.cacheDir)
  const decisions = await decideLayers(project.graph, wanted, makeOracle(project))
  const result = await buildDecided(project, { wanted, decisions }, options)
  return result === 'void' ? runBuild(project, selectors, options) : result
}

/** As runBuild, of layers about which everything was asked already; `void` when what was decided no longer holds. */
export async function buildDecided(
  project: Project,
  { wanted, decisions }: { readonly wanted: readonly LayerName[]; readonly decisions: Decisions },
  options: BuildOptions,
): Promise<BuildResult | 'void'> {
  if (needsTools(options.backends)) checkTools(project.graph, decisions.values())
  const plan = makePlan(project.graph, wanted, decisions)
  const todo = plan.layers.filter(({ action }) => action === 'build' || action === 'undecided')
  project.context.emit({ event: 'plan', layers: plan.layers.length, builds: todo.length })
  const result = (layers: readonly BuiltLayer[]): BuildResult =>
    withBasis(project, wanted, { layers, decisions })
  const fetches = plan.layers.some(({ action }) => action === 'fetch')
  if (todo.length === 0 && !fetches && !options.check) {
    const layers = reused(plan, decisions)
    await claimReused(project, layers)
    return result(layers)
  }
  // Planning needs neither a mirror nor a backend, and they take longer to load than a plan to make.
  const { carryOut } = await import('./run/carry-out.ts')
  const recorder = recordRun(project.context)
  const recorded = { ...project, context: recorder.context }
  const outcomes = await carryOut(recorded, { wanted, plan, decisions }, options)
  if (outcomes === 'void') return 'void'
  const run = recorder.save(wanted)
  const layers = plan.layers.flatMap(({ name, action }) =>
    action === 'skip' ? [] : [built(name, outcomes.get(name) ?? reusedOutcome(decisions, name), decisions)],
  )
  await claimReused(project, layers)
  return { ...result(layers), run }
}

/** None of those there are changes an image without; others are given by tests. */
const needsTools = (backends: BuildOptions['backends']): boolean =>
  (backends ?? []).every((backend) => !backend.modes.includes('chroot') || backend.needsTools === true)

/** What another project or clone built is this one's newest from now on, while it has none of its own. */
async function claimReused({ store }: Project, layers: readonly BuiltLayer[]): Promise<void> {
  for (const { record } of layers) {
    try {
      if (record !== undefined) await store.claim(record)
    } catch (error) {
      // A cache nobody may write still answers builds.
      if (!(error instanceof ImgError)) throw error
      return
    }
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
