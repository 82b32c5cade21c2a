// A remote that fails costs bounded time: few tries, one budget of waiting for all of a build, and after a few failures
// in a row it is left alone for a while.

import { type Remote, RemoteError } from './remote.ts'

export interface Patience {
  /** Milliseconds, monotonic. */
  readonly now: () => number
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
  /** 0 ≤ n < 1. */
  readonly random: () => number
  /** Told once each time the remote is given up for a while. */
  readonly onGivenUp?: (error: RemoteError) => void
}

export interface Budget {
  /** Milliseconds of waiting left; when it is spent, one failure is enough to leave a remote alone. */
  left: number
}

/** One per build. */
export const openBudget = (): Budget => ({ left: 30_000 })

export function patientRemote(remote: Remote, budget: Budget, patience: Patience): Remote {
  let failures = 0
  let closedUntil: number | undefined

  const attempt = async <T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> => {
    for (let tries = 1; ; tries++) {
      const began = patience.now()
      try {
        const result = await work()
        failures = 0
        closedUntil = undefined
        return result
      } catch (error) {
        if (!(error instanceof RemoteError) || signal.aborted) throw error
        // What stands still costs a build as much as what has it come back later.
        if (error.fault === 'slow') budget.left -= patience.now() - began
        const isPassing = passing.has(error.fault)
        const waitMs = Math.min(longestWait, error.retryAfterMs ?? patience.random() * 250 * 2 ** tries)
        if (!isPassing || tries === triesMax || waitMs > budget.left) throw error
        budget.left -= waitMs
        await patience.sleep(waitMs, signal)
      }
    }
  }

  const guarded = async <T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> => {
    if (closedUntil !== undefined && patience.now() < closedUntil)
      throw new RemoteError('closed', `${remote.name} failed too often and is left alone for now`)
    try {
      return await attempt(signal, work)
    } catch (error) {
      if (error instanceof RemoteError && passing.has(error.fault) && !signal.aborted) {
        failures += budget.left > 0 ? 1 : failuresMax
        // While it is being left alone, one failed question is enough to leave it alone again.
        if (failures >= failuresMax || closedUntil !== undefined) {
          if (closedUntil === undefined) patience.onGivenUp?.(error)
          closedUntil = patience.now() + closedFor
        }
      }
      throw error
    }
  }

  return {
    name: remote.name,
    read: (name, options) => guarded(options.signal, () => remote.read(name, options)),
    has: (name, signal, size) => guarded(signal, () => remote.has(name, signal, size)),
    create: (name, data, options) => guarded(options.signal, () => remote.create(name, data, options)),
  }
}

const passing: ReadonlySet<string> = new Set(['unreachable', 'slow', 'busy'])
const triesMax = 4
const failuresMax = 3
const longestWait = 10_000
const closedFor = 30_000
