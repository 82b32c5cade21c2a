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
  const woken = (done: () => void): (() => void) => {
    onWake = done
    return () => (onWake = undefined)
  }
  return {
    wake: (path) => {
      last = now()
      if (paths.size === 0) first = last
      paths.add(path)
      onWake?.()
    },
    changes: async (signal) => {
      if (paths.size === 0 && !signal.aborted) await until(signal, woken)
      for (;;) {
        if (signal.aborted) return undefined
        const left = Math.min(last + quietMs, first + longestMs) - now()
        // More than was asked for: the clock was put back.
        if (left <= 0 || left > quietMs) break
        await until(signal, (done) => timer(left, done))
      }
      const changes = { paths: [...paths], since: first }
      paths.clear()
      return changes
    },
  }
}

/** Resolves when it is told to, or aborted; what it listens with goes with it. */
function until(signal: AbortSignal, listen: (done: () => void) => () => void): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      signal.removeEventListener('abort', end)
      stop()
      resolve()
    }
    const stop = listen(end)
    signal.addEventListener('abort', end)
  })
}

/** An editor writes, renames and sets the mode within less; a person does not notice it. */
const quietMs = 100
/** A checkout of thousands of files must not put the build off for ever. */
const longestMs = 2000
