// A mirror that stays up from build to build while the lock is the same: what a standby has configured still works.

import { existsSync, readFileSync } from 'node:fs'
import { startMirror, type Mirror } from '../../cache/mirror/mirror.ts'
import type { RunContext } from '../context.ts'
import { type Lock, openLock } from './lockfile.ts'

export interface KeptMirror {
  /** Rejects for a lock file that cannot be understood. */
  readonly of: (lock: Pick<Lock, 'path' | 'elsewhere'>) => Promise<Mirror>
  close(): Promise<void>
}

export function keepMirror(context: RunContext, options: { readonly frozen: boolean }): KeptMirror {
  let kept: { readonly lock: string; readonly mirror: Mirror } | undefined
  /** Of the build that asked last: remotes are a project's, and projects come and go with rounds. */
  let elsewhere: Lock['elsewhere']
  let last: Promise<unknown> = Promise.resolve()
  const close = async (): Promise<void> => {
    const ending = kept
    kept = undefined
    await ending?.mirror.close()
  }
  const of = async ({ path, ...asking }: Pick<Lock, 'path' | 'elsewhere'>): Promise<Mirror> => {
    elsewhere = asking.elsewhere
    const lock = existsSync(path) ? readFileSync(path, 'utf8') : ''
    if (kept?.lock === lock) return kept.mirror
    await close()
    // Its own lock: the build's ends with the build.
    const own = await openLock(context, { ...options, elsewhere: async (wanted) => elsewhere?.(wanted) })
    const mirror = await startMirror(own, context)
    kept = { lock, mirror }
    return mirror
  }
  /** One after the other, so that none is started beside another. */
  const next = <T>(what: () => Promise<T>): Promise<T> => {
    const answer = last.then(what)
    last = answer.catch(() => undefined)
    return answer
  }
  return { of: (asking) => next(() => of(asking)), close: () => next(close) }
}
