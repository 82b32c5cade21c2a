// Rounds, one after the other, for as long as somebody watches: a change starts one, a change that makes the running
// one pointless ends it early, and whatever was told meanwhile has exactly one round after it.

import { setMaxListeners } from 'node:events'
import type { Changes, Waker } from './waker.ts'

export interface Rounds {
  /** Rejects for what waiting does not mend; the first has no changes. The signal ends it early; nothing of it may be left then. */
  run(signal: AbortSignal, changes: Changes | undefined): Promise<void>
  /** Whether what the running round builds is not what would be built now. */
  isStale(): Promise<boolean>
}

/** Resolves when the signal is aborted and the last round has ended. */
export async function watchLoop(rounds: Rounds, waker: Waker, signal: AbortSignal): Promise<void> {
  let changes: Changes | undefined
  do {
    const early = new AbortController()
    const either = AbortSignal.any([signal, early.signal])
    // Everything that runs at the same time listens.
    setMaxListeners(0, either)
    const running = rounds.run(either, changes)
    changes = await nextChanges(running, { rounds, waker, signal, early })
    await running
  } while (changes !== undefined && !signal.aborted)
}

/** What the next round is for, told while this one ran or, after it, waited for. */
async function nextChanges(
  running: Promise<void>,
  world: {
    readonly rounds: Rounds
    readonly waker: Waker
    readonly signal: AbortSignal
    readonly early: AbortController
  },
): Promise<Changes | undefined> {
  const { rounds, waker, signal, early } = world
  let missed: Changes | undefined
  let isOver = false
  const over = running.then(() => {
    isOver = true
  })
  for (;;) {
    const enough = new AbortController()
    const listening = waker.changes(AbortSignal.any([signal, enough.signal]))
    await Promise.race([over, listening])
    // What was told while it ran needs one look more, without waiting for another change.
    if (isOver && missed !== undefined) {
      enough.abort()
      return together(missed, await listening)
    }
    const changes = await listening
    if (changes === undefined) return undefined
    if (isOver) return changes
    missed = together(missed, changes)
    if (await rounds.isStale()) {
      early.abort(superseded)
      return missed
    }
  }
}

function together(early: Changes | undefined, late: Changes | undefined): Changes {
  const since = early?.since ?? late?.since ?? 0
  return { paths: [...new Set([...(early?.paths ?? []), ...(late?.paths ?? [])])], since }
}

/** Why a layer of a round that ended early was not built. */
const superseded = 'its inputs changed'
