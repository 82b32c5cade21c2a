// Collects hints that something changed until they stop coming for a moment.

export interface WakerOptions {
  /** Calls back once after so many milliseconds unless the returned function is called first; replaced in tests. */
  readonly timer: (ms: number, then: () => void) => () => void
  readonly now: () => number
}

export interface Waker {
  readonly wake: (path: string) => void
  /**
   * The paths that changed, as soon as it has been quiet for a moment or two seconds after the first; undefined when
   * aborted. One waits at a time, and what nobody waited for is kept.
   */
  changes(signal: AbortSignal): Promise<Changes | undefined>
}

export interface Changes {
  /** Absolute. */
  readonly paths: readonly string[]
  /** When the first was told. */
  readonly since: number
}

export function makeWaker({ timer, now }: WakerOptions): Waker {
  const paths = new Set<string>()
  let first = 0
  let last = 0
  let onWake: (() => void) | undefined
  const wait = (ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const cancel = timer(ms, resolve)
      signal.addEventListener('abort', () => (cancel(), resolve()), { once: true })
    })
  const woken = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      onWake = resolve
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
  return {
    wake: (path) => {
      last = now()
      if (paths.size === 0) first = last
      paths.add(path)
      onWake?.()
    },
    changes: async (signal) => {
      if (paths.size === 0 && !signal.aborted) await woken(signal)
      for (;;) {
        if (signal.aborted) return undefined
        const quietAt = Math.min(last + quietMs, first + longestMs)
        if (now() >= quietAt) break
        await wait(quietAt - now(), signal)
      }
      const changes = { paths: [...paths], since: first }
      paths.clear()
      return changes
    },
  }
}

/** An editor writes, renames and sets the mode within less; a person does not notice it. */
const quietMs = 100
/** A checkout of thousands of files must not put the build off for ever. */
const longestMs = 2000
