// A mirror that stays up from build to build while the lock is the same: what a standby has configured still works.

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { startMirror, type Mirror } from '../../cache/mirror/mirror.ts'
import type { RunContext } from '../context.ts'
import { type Lock, openLock } from './lockfile.ts'

export interface KeptMirror {
  readonly of: (lock: Lock) => Promise<Mirror>
  close(): Promise<void>
}

export function keepMirror(context: RunContext, options: { readonly frozen: boolean }): KeptMirror {
  let kept: { readonly lock: string; readonly mirror: Promise<Mirror> } | undefined
  const close = async (): Promise<void> => {
    const ending = kept
    kept = undefined
    await (await ending?.mirror)?.close()
  }
  return {
    of: async ({ path }) => {
      const lock = createHash('sha256').update(readFileSync(path)).digest('hex')
      if (kept?.lock !== lock) {
        await close()
        // Its own lock: the build's ends with the build.
        kept = { lock, mirror: openLock(context, options).then((own) => startMirror(own, context)) }
      }
      return kept.mirror
    },
    close,
  }
}
