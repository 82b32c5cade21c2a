// Builds one layer: stage, run the backend phase by phase, check that nothing moved meanwhile, store, record.

import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { LocalStore } from '../../cache/open-store.ts'
import type { Overlay } from '../../cache/put-files.ts'
import type { Artifact, LayerRecord, RecordedInput } from '../../cache/store.ts'
import type { RunContext } from '../context.ts'
import { ImgError } from '../errors.ts'
import type { Keyed } from '../plan/decision.ts'
import type { GraphLayer } from '../plan/graph.ts'
import type { LayerBench } from './layer-bench.ts'
import { packagesOf, renderPackages } from './used-packages.ts'
import { type LayerSecrets, openSecrets } from './layer-secrets.ts'
import type { ResolvedInput } from './resolved.ts'
import { failedKey } from './read-log.ts'
import { runPhases } from './run-phases.ts'
import { refuseSecrets } from './secret-scan.ts'
import { stageLayer } from './stage-layer.ts'
import { measureSteps } from './step-times.ts'
import { openWorkspace } from './workspace.ts'

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
  readonly bench: LayerBench
  readonly context: RunContext
}

/** As executeLayer, but nothing is recorded: what `--check` compares with. */
export async function buildLayer(
  entry: GraphLayer,
  keyed: Keyed<ResolvedInput>,
  run: Run & { readonly because: readonly string[] },
): Promise<LayerRecord> {
  const { bench, because } = run
  const secrets = openSecrets(entry, run.context)
  const { context } = secrets
  const started = context.now()
  const workspace = await openWorkspace(context.cacheDir)
  const log = join(workspace.path, 'log')
  writeFileSync(log, '')
  try {
    const times = measureSteps(context)
    const staged = await stageLayer(entry, keyed.inputs, { directory: join(workspace.path, 'inputs'), bench })
    const done = await runPhases(entry, keyed, {
      bench,
      context: times.context,
      staged,
      secrets,
      directory: workspace.path,
      log,
    })
    const stepsDone = context.now()
    context.emit({ event: 'doing', layer: entry.name, text: 'storing' })
    await refuseMovedInputs(entry, keyed, bench)
    await refuseSecrets(done.files, secrets.known(), entry.name)
    await secrets.redactLog(log)
    const artifact = await bench.store.put(done.files)
    const stored = context.now()
    const record: LayerRecord = {
      format: 1,
      key: keyed.key,
      layer: entry.name,
      keyRecord: keyed.keyRecord,
      artifact,
      treeDigest: done.treeDigest,
      inputs: recordedInputs(keyed.inputs),
      parents: keyed.parents,
      backend: done.backend,
      tools: done.toolVersions,
      started,
      because,
      durations: { total: stored - started, ...times.durations(), store: stored - stepsDone },
      log: await keepLog(bench.store, log),
    }
    const used = await bench.served()
    if (used.length > 0) await bench.store.writeValue(packagesOf(keyed.key), renderPackages(used))
    await adoptDisk(bench.store, done.files, artifact)
    return record
  } catch (error) {
    await keepFailed(entry, { bench, context, secrets }, { started, path: log })
    throw secrets.redactError(error)
  } finally {
    await workspace.remove()
  }
}

/** Whatever goes wrong here, such as a full disk, does not hide why the build failed. */
async function keepFailed(
  { name }: GraphLayer,
  { bench, context, secrets }: Run & { readonly secrets: LayerSecrets },
  { started, path }: { readonly started: number; readonly path: string },
): Promise<void> {
  try {
    await secrets.redactLog(path)
    const log = await keepLog(bench.store, path)
    await bench.store.writeValue(failedKey(context.root, name), JSON.stringify({ started, log }))
  } catch (error) {
    const { message } = error as Error
    const text = `the output of the failed build was not kept: ${message}`
    const hint = error instanceof ImgError ? error.fields.hint : undefined
    context.emit({ event: 'warning', layer: name, text, ...(hint === undefined ? {} : { hint }) })
  }
}

/** What was edited while we built is in the image or not, nobody knows: such a build is never recorded. */
async function refuseMovedInputs(
  entry: GraphLayer,
  keyed: Keyed<ResolvedInput>,
  bench: LayerBench,
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
  const name = `log:${createHash('sha256').update(text).digest('hex')}`
  await store.writeValue(name, text)
  return name
}

/** The next layer stands on this disk: moving it now saves restoring it. */
async function adoptDisk(
  store: LocalStore,
  files: Readonly<Record<string, string | Overlay>>,
  artifact: Artifact,
): Promise<void> {
  const made = files['disk.raw']
  const file = artifact['disk.raw']
  if (made !== undefined && file !== undefined) await store.adopt(made, file)
}
