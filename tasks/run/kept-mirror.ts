// A mirror that stays up from build to build while the lock is the same: what a standby has configured still works.

import { existsSync, readFileSync } from 'node:fs'
import { startMirror, type Mirror } from '../../cache/mirror/mirror.ts'
import type { RunContext } from '../context.ts'
import { type Lock, openLock } from './lockfile.ts'

export interface KeptMirror {
  /** Rejects for a lock file that cannot be understood. */
  readonly of: (lock: Lock) => Promise<Mirror>
  close(): Promise<void>
}

export function keepMirror(context: RunContext, options: { readonly frozen: boolean }): KeptMirror {
  let kept: { readonly lock: string; readonly mirror: Mirror } | undefined
  let last: Promise<unknown> = Promise.resolve()
  const close = async (): Promise<void> => {
    const ending = kept
    kept = undefined
    await ending?.mirror.close()
  }
  const of = async (path: string): Promise<Mirror> => {
    const lock = existsSync(path) ? readFileSync(path, 'utf8') : ''
    if (kept?.lock === lock) return kept.mirror
    await close()
    // Its own lock: the build's ends with the build.
    const mirror = await startMirror(await openLock(context, options), context)
    kept = { lock, mirror }
    return mirror
  }
  /** One after the other, so that none is started beside another. */
  const next = <T>(what: () => Promise<T>): Promise<T> => {
    const answer = last.then(what)
    last = answer.catch(() => undefined)
    return answer
  }
  return { of: ({ path }) => next(() => of(path)), close: () => next(close) }
}
