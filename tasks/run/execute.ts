// Builds one layer: stage, run the backend phase by phase, check that nothing moved meanwhile, store, record.

import { mkdirSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { LocalStore } from '../../cache/open-store.ts'
import type { Artifact, LayerRecord, RecordedInput } from '../../cache/store.ts'
import type { AptAccess, Backend, WorkResult } from '../backends/backend.ts'
import type { RunContext } from '../context.ts'
import { ImgError } from '../errors.ts'
import type { Content, Keyed } from '../plan/decision.ts'
import { type GraphLayer } from '../plan/graph.ts'
import { layerInputs, parentSlots } from '../plan/inputs.ts'
import type { Phase } from '../plan/phases.ts'
import type { LayerName, ScriptFunction } from '../plan/recipe.ts'
import type { Mode, Step } from '../plan/step.ts'
import type { ResolvedInput } from './resolved.ts'
import { measureSteps } from './step-times.ts'
import { openWorkspace, type Workspace } from './workspace.ts'

/** What building needs from the rest of the world; tests give a fake backend and a store in a temporary folder. */
export interface Bench {
  readonly arch: string
  readonly store: LocalStore
  readonly backendFor: (mode: Mode) => Promise<Backend>
  /** Folder of an unpacked tool tree, by the key it was built under. */
  readonly toolsOf: (key: string) => Promise<string>
  /** How an apt input is reached; the mirror starts when first asked. */
  readonly aptAccess: (input: LayerAptInput) => Promise<AptAccess>
  /** The inputs once more, as they are now. */
  readonly resolveAgain: (entry: GraphLayer) => Promise<Readonly<Record<string, ResolvedInput>>>
}

type LayerAptInput = Extract<ReturnType<typeof layerInputs>[number]['declaration'], { kind: 'apt' }>

/** The store has the record when it returns. Throws ImgError, and then nothing of the build is left but its log. */
export async function executeLayer(
  entry: GraphLayer,
  keyed: Keyed<ResolvedInput>,
  run: Run & { readonly because: readonly string[] },
): Promise<LayerRecord> {
  const built = await buildLayer(entry, keyed, run)
  await run.bench.store.save(built)
  return built
}

export interface Run {
  readonly bench: Bench
  readonly context: RunContext
}

/** As executeLayer, but nothing is recorded: what `--check` compares with. */
export async function buildLayer(
  entry: GraphLayer,
  keyed: Keyed<ResolvedInput>,
  run: Run & { readonly because: readonly string[] },
): Promise<LayerRecord> {
  const { bench, context, because } = run
  const started = context.now()
  const workspace = await openWorkspace(context.cacheDir)
  const log = join(workspace.path, 'log')
  writeFileSync(log, '')
  try {
    const times = measureSteps(context)
    const inputs = await stageInputs(keyed.inputs, workspace)
    const apt = await aptOf(entry, bench)
    const done = await runPhases(entry, keyed, {
      ...run,
      workspace,
      log,
      inputs,
      apt,
      context: times.context,
    })
    const stepsDone = context.now()
    await refuseMovedInputs(entry, keyed, bench)
    const artifact = await bench.store.put(done.result.files)
    const stored = context.now()
    const record: LayerRecord = {
      format: 1,
      key: keyed.key,
      layer: entry.name,
      keyRecord: keyed.keyRecord,
      artifact,
      treeDigest: done.result.treeDigest,
      inputs: recordedInputs(keyed.inputs),
      parents: keyed.parents,
      backend: done.backend,
      tools: done.result.toolVersions,
      started,
      because,
      durations: { total: stored - started, ...times.durations(), store: stored - stepsDone },
      log: await keepLog(bench.store, log),
    }
    await adoptDisk(bench.store, done.result, artifact)
    return record
  } catch (error) {
    const kept = await keepLog(bench.store, log)
    await bench.store.writeValue(`failed:${entry.name}`, JSON.stringify({ started, log: kept }))
    throw error
  } finally {
    await workspace.remove()
  }
}

/** The parent's disk goes into the first phase, each phase's disk into the next. */
async function runPhases(
  entry: GraphLayer,
  keyed: Keyed<ResolvedInput>,
  run: {
    readonly bench: Bench
    readonly context: RunContext
    readonly workspace: Workspace
    readonly log: string
    readonly inputs: Readonly<Record<string, string>>
    readonly apt: Readonly<Record<string, AptAccess>>
  },
): Promise<{ readonly result: WorkResult; readonly backend: string }> {
  const { bench, context, workspace } = run
  const slots = parentSlots(entry)
  let parentDisk =
    entry.from === undefined ? undefined : await diskOf(bench.store, parentOf(keyed, entry.from))
  let last: { result: WorkResult; backend: string } | undefined
  for (const [place, phase] of keyed.phases.entries()) {
    const backend = await bench.backendFor(phase.mode)
    const tools = phase.tools === undefined ? undefined : slots.get(phase.tools)
    const directory = join(workspace.path, `phase-${place}`)
    mkdirSync(directory)
    const result = await backend.run(
      {
        layer: entry.name,
        mode: phase.mode,
        arch: bench.arch,
        steps: phase.steps,
        ...(parentDisk === undefined ? {} : { parentDisk }),
        ...(tools === undefined ? {} : { tools: await bench.toolsOf(parentOf(keyed, tools).key) }),
        inputs: run.inputs,
        scripts: scriptsOf(entry),
        apt: pick(run.apt, aptNames(phase)),
        directory,
        log: run.log,
      },
      context,
    )
    parentDisk = result.files['disk.raw']
    last = { result, backend: backend.name }
  }
  if (last === undefined) throw new Error(`${entry.name} has no steps`)
  return last
}

function parentOf(keyed: Keyed, name: LayerName): Content {
  const parent = keyed.parents[name]
  if (parent === undefined) throw new Error(`${keyed.name} was keyed without ${name}`)
  return parent
}

async function diskOf(store: LocalStore, parent: Content): Promise<string> {
  const found = await store.find(parent.key)
  const disk = found.hit ? found.record.artifact['disk.raw'] : undefined
  if (disk !== undefined) return store.materialise(disk)
  throw new ImgError(
    'RECORD_MISSING',
    `the parent disk ${parent.key.slice(0, 12)} is not in the cache any more`,
    {
      hint: 'run the command again; it is built anew',
      ...(found.hit ? {} : { found: found.reason }),
    },
  )
}

async function stageInputs(
  inputs: Readonly<Record<string, ResolvedInput>>,
  workspace: Workspace,
): Promise<Readonly<Record<string, string>>> {
  const staged: Record<string, string> = {}
  mkdirSync(join(workspace.path, 'inputs'))
  // Numbered: a name may hold a path.
  for (const [place, [name, input]] of Object.entries(inputs).entries()) {
    if (input.stage === undefined) continue
    const to = join(workspace.path, 'inputs', String(place))
    await input.stage(to)
    staged[name] = to
  }
  return staged
}

async function aptOf(entry: GraphLayer, bench: Bench): Promise<Readonly<Record<string, AptAccess>>> {
  const access: Record<string, AptAccess> = {}
  for (const { name, declaration } of layerInputs(entry)) {
    if (declaration.kind === 'apt') access[name] = await bench.aptAccess(declaration)
  }
  return access
}

function scriptsOf(entry: GraphLayer): Readonly<Record<string, ScriptFunction>> {
  const scripts = layerInputs(entry).flatMap(({ name, declaration }) =>
    declaration.kind === 'script' ? [[name, declaration.run] as const] : [],
  )
  return Object.fromEntries(scripts)
}

const aptNames = (phase: Phase): ReadonlySet<string> =>
  new Set(phase.steps.flatMap((step: Step) => ('apt' in step && step.apt !== undefined ? [step.apt] : [])))

const pick = <T>(all: Readonly<Record<string, T>>, names: ReadonlySet<string>): Readonly<Record<string, T>> =>
  Object.fromEntries(Object.entries(all).filter(([name]) => names.has(name)))

/** What was edited while we built is in the image or not, nobody knows: such a build is never recorded. */
async function refuseMovedInputs(
  entry: GraphLayer,
  keyed: Keyed<ResolvedInput>,
  bench: Bench,
): Promise<void> {
  const now = await bench.resolveAgain(entry)
  for (const [name, before] of Object.entries(keyed.inputs)) {
    const after = now[name]
    if (after?.digest === before.digest) continue
    const moved = before.files.find(
      ({ path, digest }) => after?.files.find((file) => file.path === path)?.digest !== digest,
    )
    const what = moved?.path ?? `input ${name}`
    throw new ImgError('INPUT_CHANGED', `${what} changed while ${entry.name} was being built`, {
      hint: 'nothing was recorded; build again',
      layer: entry.name,
      ...(moved === undefined ? {} : { path: moved.path }),
    })
  }
}

function recordedInputs(
  inputs: Readonly<Record<string, ResolvedInput>>,
): Readonly<Record<string, RecordedInput>> {
  const recorded = Object.entries(inputs).map(
    ([name, { kind, digest, files }]) => [name, { kind, digest, files }] as const,
  )
  return Object.fromEntries(recorded)
}

async function keepLog(store: LocalStore, path: string): Promise<string> {
  const text = await readFile(path)
  const { createHash } = await import('node:crypto')
  const name = `log:${createHash('sha256').update(text).digest('hex')}`
  await store.writeValue(name, text)
  return name
}

/** The next layer stands on this disk: moving it now saves restoring it. */
async function adoptDisk(store: LocalStore, result: WorkResult, artifact: Artifact): Promise<void> {
  const path = result.files['disk.raw']
  const file = artifact['disk.raw']
  if (path !== undefined && file !== undefined) await store.adopt(path, file)
}
