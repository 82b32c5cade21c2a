// A record of each build that did something: what was built, why, and when each step began. Traces and histories are
// made of it.

import { randomBytes } from 'node:crypto'
import { type Dirent, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RunContext } from '../context.ts'
import type { ImgEvent } from '../events.ts'
import type { Outcome } from '../plan/outcome.ts'
import { projectIdentity } from './project-identity.ts'

export interface RunRecord {
  readonly format: 1
  /** Begins with the time, so that names sort by it. */
  readonly id: string
  /** Milliseconds since 1970; also all other times here. */
  readonly started: number
  readonly ms: number
  readonly status: 'ok' | 'failed' | 'interrupted'
  /** Of the project. */
  readonly root: string
  readonly wanted: readonly string[]
  readonly layers: readonly RunLayer[]
}

export interface RunLayer {
  readonly name: string
  readonly status: Outcome['status']
  /** Absent when it failed or was cancelled. */
  readonly key?: string
  readonly started: number
  readonly ms: number
  /** What differed from the build before, or what went wrong. */
  readonly reason?: string
  readonly steps: readonly RunStep[]
}

export interface RunStep {
  readonly label: string
  readonly started: number
  readonly ms: number
}

export interface RunRecorder {
  /** The context to build with; events pass through. */
  readonly context: RunContext
  /** Writes the record; the oldest go when there are many. */
  save(wanted: readonly string[]): RunRecord
}

export function recordRun(context: RunContext): RunRecorder {
  const started = context.now()
  const layers = new Map<string, Noted>()
  return {
    context: {
      ...context,
      emit: (event) => {
        note(layers, event, context.now())
        context.emit(event)
      },
    },
    save: (wanted) => {
      const ended = [...layers].map(([name, noted]) => toLayer(name, noted, context.now()))
      const record: RunRecord = {
        format: 1,
        id: `${idTime(started)}-${randomBytes(2).toString('hex')}`,
        started,
        ms: context.now() - started,
        status: statusOf(ended),
        root: context.root,
        wanted,
        layers: ended,
      }
      writeRecord(context, record)
      return record
    },
  }
}

/** Newest first; a record that cannot be read is left out. `own`: of the project in this folder. */
export function readRuns(
  { cacheDir, root }: Pick<RunContext, 'cacheDir' | 'root'>,
  whose: 'own' | 'all',
): readonly RunRecord[] {
  const own = projectIdentity(root)
  const projects = whose === 'own' ? [own] : foldersIn(runsFolder(cacheDir))
  const runs = projects.flatMap((project) => readFolder(join(runsFolder(cacheDir), project)))
  // Before each project had a folder of its own, all runs lay here.
  const older = readFolder(runsFolder(cacheDir)).filter((run) => whose === 'all' || run.root === root)
  return [...runs, ...older].toSorted((a, b) => (a.id < b.id ? 1 : -1))
}

function readFolder(folder: string): readonly RunRecord[] {
  return namesOf(folder).flatMap((name) => {
    try {
      const record = JSON.parse(readFileSync(join(folder, name), 'utf8')) as RunRecord
      return record.format === 1 ? [record] : []
    } catch {
      // Of another version, or torn: history is no reason to stop.
      return []
    }
  })
}

interface Noted {
  readonly started: number
  readonly steps: { label: string; started: number }[]
  outcome?: Outcome
  ended?: number
  reason?: string
}

function note(layers: Map<string, Noted>, event: ImgEvent, now: number): void {
  if (event.event === 'layer-start') layers.set(event.layer, { started: now, steps: [] })
  if (event.event === 'step-start') layers.get(event.layer)?.steps.push({ label: event.label, started: now })
  if (event.event !== 'layer-end') return
  const noted: Noted = layers.get(event.layer) ?? { started: now, steps: [] }
  layers.set(event.layer, { ...noted, outcome: event.outcome, ended: now })
}

function toLayer(name: string, { started, steps, outcome, ended }: Noted, now: number): RunLayer {
  const end = ended ?? now
  const status = outcome?.status ?? 'cancelled'
  return {
    name,
    status,
    ...(outcome !== undefined && 'key' in outcome ? { key: outcome.key } : {}),
    started,
    ms: end - started,
    ...(outcome?.status === 'failed' ? { reason: outcome.error.message } : {}),
    ...(outcome?.status === 'cancelled' ? { reason: outcome.because } : {}),
    steps: steps.map((step, index) => ({ ...step, ms: (steps[index + 1]?.started ?? end) - step.started })),
  }
}

function statusOf(layers: readonly RunLayer[]): RunRecord['status'] {
  if (layers.some(({ status }) => status === 'failed')) return 'failed'
  return layers.some(({ status }) => status === 'cancelled') ? 'interrupted' : 'ok'
}

/** `20261122T203240123`: as a file name, and readable. */
const idTime = (ms: number): string => new Date(ms).toISOString().replaceAll(/[-:.Z]/g, '')

/** Of each project. */
const keptRuns = 200

function writeRecord({ cacheDir, root }: RunContext, record: RunRecord): void {
  const folder = join(runsFolder(cacheDir), projectIdentity(root))
  mkdirSync(folder, { recursive: true })
  const path = join(folder, `${record.id}.json`)
  writeFileSync(`${path}.new`, JSON.stringify(record))
  renameSync(`${path}.new`, path)
  for (const name of namesOf(folder).slice(0, -keptRuns)) rmSync(join(folder, name), { force: true })
}

const runsFolder = (cacheDir: string): string => join(cacheDir, 'runs')

const namesOf = (folder: string): readonly string[] =>
  entriesOf(folder).flatMap((entry) => (entry.name.endsWith('.json') ? [entry.name] : []))

const foldersIn = (folder: string): readonly string[] =>
  entriesOf(folder).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []))

/** By name; none of what is not there. */
function entriesOf(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
