// A round of `img watch`: ask what every layer is now, watch whatever was read for that, build what has no record.

import { statSync } from 'node:fs'
import { relative } from 'node:path'
import type { RunContext } from '../context.ts'
import { ImgError } from '../errors.ts'
import type { ImgEvent, RoundStatus } from '../events.ts'
import type { Outcome } from '../plan/outcome.ts'
import type { LayerName } from '../plan/recipe.ts'
import { select } from '../plan/select.ts'
import type { Decisions } from './decide.ts'
import type { Project } from './project.ts'
import { askAll, type Asked } from './watch-ask.ts'
import type { FolderWatch } from './watch-folders.ts'
import type { ImgfileWatch } from './watch-imgfile.ts'
import type { Changes } from './waker.ts'
import type { Rounds } from './watch-loop.ts'

export interface RoundsOptions {
  readonly context: RunContext
  /** None: every layer. */
  readonly selectors: readonly string[]
  readonly imgfile: ImgfileWatch
  readonly folders: FolderWatch
  /** `void` when the lock was pinned anew, so that everything has to be asked again. */
  readonly build: (project: Project, decided: Decided) => Promise<BuildOutcomes | 'void'>
  /** What is done, once, with images that are up to date; ends when the project's signal says so. */
  readonly after: (project: Project, decided: Decided) => Promise<void>
  /** Asks for one more round although nothing was told. */
  readonly again: () => void
  /** Called when a round is over and nobody is waiting, to prepare the next. */
  readonly idle?: () => Promise<void>
}

export interface Decided {
  readonly wanted: readonly LayerName[]
  readonly decisions: Decisions
}

interface Fingerprinted extends Decided {
  readonly fingerprint: string
}

interface BuildOutcomes {
  readonly layers: readonly { readonly name: LayerName; readonly outcome: Outcome }[]
}

export interface WatchedRounds extends Rounds {
  /** Whether a change of this path can change what is built. */
  isRelevant(path: string): boolean
}

export function makeRounds(options: RoundsOptions): WatchedRounds {
  const { context, folders, imgfile } = options
  let seen: ReadonlySet<string> = new Set()
  /** Everything is relevant while something could not be read. */
  let isBroken = true
  /** Fingerprints of what is built or used, and of what all has been done with. */
  let running: string | undefined
  let settled: string | undefined
  let isFirst = true

  const ask = async (project: Project): Promise<Fingerprinted> => {
    const asked: Asked = { seen: new Set(imgfile.files()), own: new Map() }
    isBroken = true
    try {
      const wanted =
        options.selectors.length === 0
          ? project.loaded.imgfile.layers.map(({ name }) => name)
          : select(project.graph, options.selectors)
      const decisions = await askAll(project, wanted, asked)
      isBroken = false
      return { wanted, decisions, fingerprint: JSON.stringify([...asked.own]) }
    } finally {
      seen = asked.seen
    }
  }

  /** Until nothing can have changed between reading it and watching it. */
  const askWatched = async (project: Project): Promise<Fingerprinted> => {
    for (;;) {
      const answer = await ask(project).catch((error: unknown) => ({ error }))
      if (await folders.follow(seen)) continue
      if ('error' in answer) throw answer.error
      return answer
    }
  }

  const buildRound = async (project: Project): Promise<Fingerprinted & { readonly status: RoundStatus }> => {
    const decided = await askWatched(project)
    running = decided.fingerprint
    // Changed again while it was asked: nothing of this round is worth a word.
    if (project.context.signal.aborted) return { ...decided, status: 'superseded' }
    const result = await options.build(project, decided)
    const status = result === 'void' ? 'superseded' : statusOf(result)
    if (status === 'superseded' && !project.context.signal.aborted) options.again()
    return { ...decided, status }
  }

  const useImages = async (project: Project, decided: Fingerprinted): Promise<void> => {
    if (settled === decided.fingerprint) return
    settled = undefined
    await options.after(project, decided)
    if (!project.context.signal.aborted) settled = decided.fingerprint
  }

  const run = async (signal: AbortSignal, changes: Changes | undefined): Promise<void> => {
    const shown = (changes?.paths ?? []).filter((path) => seen.has(path) || isSomebodys(path, context.root))
    // An editor's own files come and go.
    const isSilent = changes !== undefined && shown.length === 0
    if (shown.length > 0) {
      context.emit({ event: 'changed', paths: shown.map((path) => relative(context.root, path)).toSorted() })
    }
    const end = (status: RoundStatus): void => {
      if (signal.aborted) return
      const ms = changes === undefined ? {} : { ms: context.now() - changes.since }
      if (!isSilent || status !== 'idle') context.emit({ event: 'round-end', status, ...ms })
      if (isFirst) context.emit({ event: 'watching', folders: folders.count(), polling: folders.polling() })
      isFirst = false
    }
    let project: Project | undefined
    try {
      project = await imgfile.open({ ...context, signal, emit: (event) => context.emit(asSuperseded(event)) })
      const { status, ...decided } = await buildRound(project)
      end(status)
      if ((status === 'built' || status === 'idle') && !signal.aborted) await useImages(project, decided)
    } catch (error) {
      if (!(error instanceof ImgError)) throw error
      // A name that never was one is a slip of the keyboard; one that was may come back.
      if (isFirst && error.code === 'LAYER_UNKNOWN') throw error
      if (project === undefined) {
        seen = new Set(imgfile.files())
        isBroken = true
        await folders.follow(seen)
      }
      if (error.code !== 'INTERRUPTED') context.emit({ event: 'error', error })
      end('failed')
    } finally {
      running = undefined
      await project?.close()
    }
    if (!signal.aborted) void options.idle?.()
  }

  return {
    run,
    isStale: async () => {
      // Still asking: whatever it asked about may be what changed.
      if (running === undefined) return true
      let project: Project | undefined
      try {
        project = await imgfile.open(context)
        return (await ask(project)).fingerprint !== running
      } catch (error) {
        if (error instanceof ImgError) return true
        throw error
      } finally {
        await project?.close()
      }
    },
    isRelevant: (path) => isBroken || seen.has(path) || seen.has(folderOf(path)),
  }
}

const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/'))

/** Something new that a person may have written: no file of an editor's own, and not the folder a follow-up stands for. */
function isSomebodys(path: string, root: string): boolean {
  const isEditors = /\/(?:\.[^/]*\.sw[a-z]|\.#[^/]*|#[^/]*#|[^/]*~|4913)$/.test(path)
  return !isEditors && path !== root && statSync(path, { throwIfNoEntry: false }) !== undefined
}

function statusOf({ layers }: BuildOutcomes): RoundStatus {
  const failed = layers.filter(({ outcome }) => outcome.status === 'failed')
  if (failed.some(({ outcome }) => !isMoved(outcome))) return 'failed'
  if (failed.length > 0 || layers.some(({ outcome }) => outcome.status === 'cancelled')) return 'superseded'
  return layers.every(({ outcome }) => outcome.status === 'reused') ? 'idle' : 'built'
}

/** Edited while it was built: here that is no failure but the beginning of the next round. */
function asSuperseded(event: ImgEvent): ImgEvent {
  if (event.event !== 'layer-end' || !isMoved(event.outcome)) return event
  return { ...event, outcome: { status: 'cancelled', because: 'its inputs changed' } }
}

const isMoved = (outcome: Outcome): boolean =>
  outcome.status === 'failed' && outcome.error.code === 'INPUT_CHANGED'
