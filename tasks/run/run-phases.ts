// Takes a layer's disk from phase to phase, and within a phase from backend to backend.

import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { LocalStore } from '../../cache/open-store.ts'
import type { Overlay } from '../../cache/put-files.ts'
import type { ArtifactFile } from '../../cache/store.ts'
import type { Backend, WorkResult } from '../backends/backend.ts'
import type { RunContext } from '../context.ts'
import { ImgError } from '../errors.ts'
import type { Content, Keyed } from '../plan/decision.ts'
import { declaredFields, type GraphLayer } from '../plan/graph.ts'
import { parentSlots } from '../plan/inputs.ts'
import type { Phase } from '../plan/phases.ts'
import type { LayerName } from '../plan/recipe.ts'
import type { Step } from '../plan/step.ts'
import { chooseBackend } from './choose-backend.ts'
import type { LayerBench } from './layer-bench.ts'
import type { LayerSecrets } from './layer-secrets.ts'
import type { StagedLayer } from './stage-layer.ts'

export interface PhasesRun {
  readonly bench: LayerBench
  readonly context: RunContext
  readonly staged: StagedLayer
  readonly secrets: Pick<LayerSecrets, 'given' | 'hide'>
  /** Each part of the work gets a folder in it. */
  readonly directory: string
  readonly log: string
}

export interface PhasesResult {
  /** Absolute paths by name, or a disk as an overlay on its parent's. */
  readonly files: Readonly<Record<string, string | Overlay>>
  readonly treeDigest: string
  readonly toolVersions: WorkResult['toolVersions']
  /** Names of all that took part, in order: `libvirt, namespace`. */
  readonly backend: string
}

/** The parent's disk goes into the first part, each part's disk into the next; the last part's files are the artifact. */
export async function runPhases(entry: GraphLayer, keyed: Keyed, run: PhasesRun): Promise<PhasesResult> {
  const { bench } = run
  const slots = parentSlots(entry)
  const parts = await divide(entry, keyed.phases, bench)
  const steps = parts.reduce((sum, part) => sum + part.steps.length, 0)
  const from = entry.from === undefined ? undefined : parentOf(keyed, entry.from)
  const parentFiles = from === undefined ? undefined : await filesOf(bench.store, from, run.directory)
  const parent = from === undefined || parentFiles !== undefined ? undefined : await diskOf(bench.store, from)
  // A part that is not the last hands a plain disk on.
  const takesOverlay = parts.length === 1 && parts[0]?.backend.overlays === true
  const base = parent && (takesOverlay ? await bench.store.materialiseBase(parent) : undefined)
  let disk = base?.[0] ?? (parent && (await bench.store.materialise(parent)))
  const chain: string[] = []
  for (const name of entry.chain)
    chain.push(await bench.store.materialise(await diskOf(bench.store, parentOf(keyed, name))))
  let versions: Readonly<Record<string, string>> = {}
  let last: WorkResult | undefined
  let before = 0
  const since = Math.floor(run.context.now() / 1000)
  for (const [place, { phase, backend, steps: own }] of parts.entries()) {
    const tools = phase.tools === undefined ? undefined : slots.get(phase.tools)
    const directory = join(run.directory, `part-${place}`)
    mkdirSync(directory)
    last = await backend.run(
      {
        layer: entry.name,
        key: keyed.key,
        mode: phase.mode,
        arch: bench.arch,
        steps: own,
        ...(disk === undefined ? {} : { parentDisk: disk }),
        ...(base === undefined ? {} : { parentBelow: base.slice(1) }),
        ...(place > 0 || parentFiles === undefined ? {} : { parentFiles }),
        chain,
        ...(tools === undefined ? {} : { tools: await bench.toolsOf(parentOf(keyed, tools).key) }),
        inputs: run.staged.inputs,
        scripts: run.staged.scripts,
        secrets: run.secrets.given,
        hide: run.secrets.hide,
        apt: pick(run.staged.apt, aptNames(phase)),
        directory,
        since,
        log: run.log,
      },
      countingOn(run.context, before, steps),
    )
    before += own.length
    disk = last.files['disk.raw'] ?? disk
    versions = { ...versions, ...last.toolVersions }
  }
  if (last?.treeDigest === undefined) throw new Error(`${entry.name} ends without a digest of what it made`)
  const path = last.files['disk.raw']
  const isOverlay = last.isOverlay === true && path !== undefined && parent !== undefined
  const names = [...new Set(parts.map(({ backend }) => backend.name))]
  return {
    files: isOverlay ? { ...last.files, 'disk.raw': { overlay: path, parent } } : last.files,
    treeDigest: last.treeDigest,
    toolVersions: versions,
    backend: names.join(', '),
  }
}

interface Part {
  readonly phase: Phase
  readonly backend: Backend
  readonly steps: readonly Step[]
}

/** Each step to the best backend that has it: handing a disk over costs a copy, less than work where it is slow. */
async function divide(
  entry: GraphLayer,
  phases: readonly Phase[],
  bench: LayerBench,
): Promise<readonly Part[]> {
  const parts: { phase: Phase; backend: Backend; steps: Step[] }[] = []
  let isFirst = entry.from === undefined
  for (const phase of phases) {
    const choice = await bench.backendsFor(phase.mode)
    for (const step of phase.steps) {
      const last = parts.at(-1)
      const backend = chooseBackend(choice, step, { layer: entry.name, isFirst, foreign: entry.foreign })
      if (phase.tools === undefined && backend.needsTools === true && !beginsTree(entry, phases)) {
        throw noTools(entry, backend)
      }
      if (last?.phase === phase && last.backend === backend) last.steps.push(step)
      else parts.push({ phase, backend, steps: [step] })
      if (disksBegin.has(step.do)) isFirst = false
    }
  }
  return parts
}

/** A new root is its own tool tree: what it has was put there by a program of the host. */
const beginsTree = (entry: GraphLayer, phases: readonly Phase[]): boolean =>
  entry.from === undefined && phases.length === 1 && phases[0]?.steps[0]?.do === 'bootstrap'

const noTools = (entry: GraphLayer, { name }: Backend): ImgError =>
  new ImgError('IMGFILE_INVALID', `layer ${entry.name}: none of its recipes names a tool tree`, {
    layer: entry.name,
    hint: `give one \`tools\`, such as tools({ suite: 'trixie' }) of imgfile/recipes: the backend ${name} works by its programs`,
    ...declaredFields(entry),
  })

/** From these steps on there is a disk. */
const disksBegin: ReadonlySet<Step['do']> = new Set<Step['do']>(['disk', 'install', 'virt-builder'])

/** Backends count the steps they are given; people count those of the layer. */
function countingOn(context: RunContext, before: number, steps: number): RunContext {
  return {
    ...context,
    emit: (event) =>
      context.emit(event.event === 'step-start' ? { ...event, step: before + event.step, steps } : event),
  }
}

function parentOf(keyed: Keyed, name: LayerName): Content {
  const parent = keyed.parents[name]
  if (parent === undefined) throw new Error(`${keyed.name} was keyed without ${name}`)
  return parent
}

async function diskOf(store: LocalStore, parent: Content): Promise<ArtifactFile> {
  const found = await store.find(parent.key)
  const disk = found.hit ? found.record.artifact['disk.raw'] : undefined
  if (disk !== undefined) return disk
  throw new ImgError(
    'RECORD_MISSING',
    `the parent disk ${parent.key.slice(0, 12)} is not in the cache any more`,
    {
      hint: 'run the command again; it is built anew',
      ...(found.hit ? {} : { found: found.reason }),
    },
  )
}

/** Of a target, written out; undefined for a disk. */
async function filesOf(
  store: LocalStore,
  parent: Content,
  directory: string,
): Promise<Readonly<Record<string, string>> | undefined> {
  const found = await store.find(parent.key)
  if (!found.hit || 'disk.raw' in found.record.artifact) return undefined
  const files: Record<string, string> = {}
  for (const [name, file] of Object.entries(found.record.artifact)) {
    const to = join(directory, 'parent', name)
    mkdirSync(dirname(to), { recursive: true })
    await store.restore(file, to)
    files[name] = to
  }
  return files
}

/** Of the whole phase: how old a package can be is the same question for each of its parts. */
const aptNames = (phase: Phase): ReadonlySet<string> =>
  new Set(phase.steps.flatMap((step: Step) => ('apt' in step && step.apt !== undefined ? [step.apt] : [])))

const pick = <T>(all: Readonly<Record<string, T>>, names: ReadonlySet<string>): Readonly<Record<string, T>> =>
  Object.fromEntries(Object.entries(all).filter(([name]) => names.has(name)))
