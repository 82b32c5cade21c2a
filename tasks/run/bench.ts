// What a build needs beside the project: a mirror, backends, and how much of the machine a layer may take.

import { existsSync } from 'node:fs'
import { availableParallelism, totalmem } from 'node:os'
import { startMirror, type Mirror } from '../../cache/mirror/mirror.ts'
import type { Backend } from '../backends/backend.ts'
import { backends } from '../backends/index.ts'
import { closure, layerOf } from '../plan/graph.ts'
import { layerInputs } from '../plan/inputs.ts'
import type { AptInput, LayerName } from '../plan/recipe.ts'
import type { Mode } from '../plan/step.ts'
import { debianArchitecture } from './apt-indexes.ts'
import { obtainLocked, repinGone } from './apt-pin.ts'
import { probeBackends, type BackendChoice } from './choose-backend.ts'
import type { DecisionOf } from './decide.ts'
import type { Budgets, Weight } from './gate.ts'
import type { LayerBench } from './layer-bench.ts'
import type { Lock } from './lockfile.ts'
import type { Project } from './project.ts'
import { resolveLayer } from './resolve-layer.ts'
import { weightOf } from './schedule.ts'
import { requireTools, type ToolName } from './tools.ts'

export interface OpenBench {
  /**
   * Checks the host's programs and brings the locked package lists into the cache; true when a lost state was pinned
   * anew, which voids every key.
   */
  prepare(todo: readonly LayerName[]): Promise<boolean>
  /** After a failure: true when packages of the locked state are gone, and the present state was pinned in its place. */
  recover(): Promise<boolean>
  /** The bench as one layer's build sees it. */
  over(project: Project, decisionOf: DecisionOf): LayerBench
  weightOf(name: LayerName): Weight
  budgets(concurrency: number | undefined): Budgets
  close(): Promise<void>
}

export interface BenchOptions {
  /** Used instead of all there are. */
  readonly backends?: readonly Backend[]
  /** A mirror of this lock that somebody else started and closes. */
  readonly mirror?: (lock: Lock) => Promise<Mirror>
}

/** Nothing is started yet; `wanted` says whose packages may be asked for. */
export async function openBench(
  project: Project,
  wanted: readonly LayerName[],
  { backends: choice = backends(), mirror: kept }: BenchOptions = {},
): Promise<OpenBench> {
  const { context, graph, lock } = project
  let mirror: Promise<Mirror> | undefined
  const probed = new Map<Mode, Promise<BackendChoice>>()
  const aptInputs = closure(graph, wanted).flatMap((name) =>
    layerInputs(layerOf(graph, name)).flatMap(({ declaration }) =>
      declaration.kind === 'apt' ? [declaration] : [],
    ),
  )
  return {
    prepare: async (todo) => {
      await requireTools(hostTools(project, todo), context, { recommended: overlayTools(project, todo) })
      return (await obtainLocked(lock, aptInputs, context)).length > 0
    },
    recover: async () =>
      mirror !== undefined && (await repinGone(lock, (await mirror).gone(), context)).length > 0,
    over: (own, decisionOf) => ({
      arch: debianArchitecture(),
      store: own.store,
      toolsOf: own.toolsOf,
      backendsFor: (mode) => {
        const available = probed.get(mode) ?? probeBackends(mode, choice, own.context)
        probed.set(mode, available)
        return available
      },
      aptAccess: async (input: AptInput) => {
        mirror ??= kept === undefined ? startMirror(lock, context) : kept(lock)
        return (await mirror).access(input)
      },
      served: async () => (mirror === undefined ? [] : await (await mirror).served()),
      resolveAgain: async (entry) => {
        const resolution = await resolveLayer(entry, decisionOf, own)
        return 'inputs' in resolution ? resolution.inputs : {}
      },
    }),
    weightOf: (name) => weightOf(layerOf(graph, name).layer),
    budgets: (concurrency) => ({
      concurrency: concurrency ?? Math.max(1, Math.floor(availableParallelism() / 2)),
      memory: Math.floor(totalmem() / 2 ** 20),
    }),
    close: async () => {
      if (mirror !== undefined && kept === undefined) await (await mirror).close()
    },
  }
}

/** Where they can be of use. */
function overlayTools({ graph, context }: Project, todo: readonly LayerName[]): readonly ToolName[] {
  const mountsDisks = context.uid === 0 && todo.some((name) => layerOf(graph, name).from !== undefined)
  return mountsDisks && existsSync('/dev/fuse') ? ['qemu-img', 'qemu-storage-daemon'] : []
}

/** What starts the tool tree; only the tree itself is made by a program of the host. */
function hostTools({ graph, context }: Project, todo: readonly LayerName[]): readonly ToolName[] {
  const makesTree = todo.some((name) => layerOf(graph, name).recipeTools.includes(undefined))
  const boots = todo.some((name) => layerOf(graph, name).layer.recipes.some(({ mode }) => mode === 'boot'))
  const changesDisks = todo.some((name) => layerOf(graph, name).from !== undefined)
  return [
    ...(['setpriv', 'unshare', 'mount', 'apt-get'] as const),
    ...(makesTree ? (['mmdebstrap'] as const) : []),
    ...(changesDisks && context.uid !== 0 ? (['guestfish', 'virt-sysprep'] as const) : []),
    ...(boots ? (['qemu-system-x86_64', 'nsenter', 'perl'] as const) : []),
  ]
}
