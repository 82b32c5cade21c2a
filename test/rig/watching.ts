// `img watch` on the fake backend and layers made in the test, with everything told noted.

import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { fakeBackend } from '../../tasks/backends/fake.ts'
import { buildDecided } from '../../tasks/build.ts'
import type { RunContext } from '../../tasks/context.ts'
import type { ImgEvent } from '../../tasks/events.ts'
import { defineImgfile } from '../../tasks/plan/declare.ts'
import type { Layer } from '../../tasks/plan/recipe.ts'
import { openLoaded, type Project } from '../../tasks/run/project.ts'
import { makeWaker } from '../../tasks/run/waker.ts'
import { watchFolders } from '../../tasks/run/watch-folders.ts'
import { watchLoop } from '../../tasks/run/watch-loop.ts'
import { makeRounds } from '../../tasks/run/watch-round.ts'

export interface Watching {
  readonly events: readonly ImgEvent[]
  readonly started: readonly string[]
  readonly wakes: () => number
  /** Resolves at the end of a round after which `isDone` holds. */
  until(isDone: () => Promise<boolean>): Promise<void>
  stop(): Promise<void>
}

interface WatchingOptions {
  readonly poll?: boolean
  readonly gates?: Readonly<Record<string, Promise<void>>>
  /** Instead of tests, a command or a machine; the signal is the round's. */
  readonly after?: (signal: AbortSignal) => Promise<void>
}

export function startWatching(
  context: RunContext,
  layers: readonly Layer[],
  { poll = false, gates = {}, after }: WatchingOptions = {},
): Watching {
  const stopping = new AbortController()
  const backend = fakeBackend({ gates })
  const events: ImgEvent[] = []
  const listeners = new Set<() => void>()
  let wakes = 0
  const own: RunContext = {
    ...context,
    now: Date.now,
    signal: stopping.signal,
    emit: (event) => {
      events.push(event)
      for (const listener of listeners) listener()
    },
  }
  const waker = makeWaker({
    now: Date.now,
    timer: (ms, then) => {
      const timer = setTimeout(then, ms)
      return () => clearTimeout(timer)
    },
  })
  const folders = watchFolders({
    poll,
    emit: own.emit,
    onChange: (path) => {
      if (!rounds.isRelevant(path)) return
      wakes += 1
      waker.wake(path)
      for (const listener of listeners) listener()
    },
  })
  const rounds = makeRounds({
    context: own,
    selectors: [],
    folders,
    imgfile: { files: () => [], open: (at) => openFixed(at, layers) },
    build: (project, decided) =>
      buildDecided(project, decided, { mode: 'keep-going', check: false, backends: [backend] }),
    after: async (project) => {
      const ended = after?.(project.context.signal)
      for (const listener of listeners) listener()
      await ended
      for (const listener of listeners) listener()
    },
    again: () => waker.wake(context.root),
  })
  const looping = watchLoop(rounds, waker, stopping.signal)
  const stop = async (): Promise<void> => {
    stopping.abort()
    await looping
    await folders.close()
  }
  onTestFinished(stop)
  return {
    events,
    started: backend.started,
    wakes: () => wakes,
    stop,
    until: (isDone) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          isDone().then((done) => {
            if (!done) return
            listeners.delete(look)
            resolve()
          }, reject)
        }
        listeners.add(look)
        look()
      }),
  }
}

/** As a loaded imgfile, of these layers whatever the folder holds. */
export async function openFixed(context: RunContext, layers: readonly Layer[]): Promise<Project> {
  const closure = { files: [], packages: {}, env: [], outside: [] }
  return openLoaded(context, {
    path: join(context.root, 'imgfile.ts'),
    imgfile: defineImgfile({ layers }),
    closure,
  })
}
