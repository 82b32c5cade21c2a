// What the world is, for one command. Made in cli.ts, passed down; nothing else reads process.* or the clock.

import type { Emit } from './events.ts'

export interface RunContext {
  /** The imgfile's folder; every relative path of the imgfile is under it. */
  readonly root: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** `$IMG_CACHE_DIR`, else `$XDG_CACHE_HOME/img`. */
  readonly cacheDir: string
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly signal: AbortSignal
  readonly emit: Emit
  readonly uid: number
  /** `--yes`: install what is missing, answer every prompt. */
  readonly yes: boolean
}
