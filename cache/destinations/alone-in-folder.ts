// A folder others read from while we publish to it: one publisher at a time, and what is not whole stays out of sight.

import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { RunContext } from '../../tasks/context.ts'
import { ImgError } from '../../tasks/errors.ts'
import { withKeyLock } from '../locks.ts'
import { errnoOf } from '../store-error.ts'

export interface OwnFolders {
  /** For what is not for readers. */
  readonly own: string
  /** Empty, on the same file system, and gone afterwards; what a killed publisher left in it goes first. */
  readonly tmp: string
}

/** Throws DISK_FULL and PERMISSION for what `fn` cannot write. */
export async function aloneInFolder<T>(
  dir: string,
  { signal }: Pick<RunContext, 'signal'>,
  fn: (folders: OwnFolders) => Promise<T>,
): Promise<T> {
  const own = join(dir, '.img')
  const tmp = join(own, 'tmp')
  try {
    await mkdir(own, { recursive: true })
    return await withKeyLock({ folder: own, key: 'publish' }, { signal }, async () => {
      await rm(tmp, { recursive: true, force: true })
      await mkdir(tmp)
      const result = await fn({ own, tmp })
      await rm(tmp, { recursive: true, force: true })
      return result
    })
  } catch (cause) {
    throw toFolderError(cause, dir)
  }
}

function toFolderError(cause: unknown, dir: string): unknown {
  const code = cause instanceof ImgError ? undefined : errnoOf(cause)
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') {
    return new ImgError('DISK_FULL', `no space left while publishing to ${dir}`, {
      path: dir,
      hint: 'free some space there; what was published before is whole',
      cause,
    })
  }
  if (code === undefined) return cause
  return new ImgError('PERMISSION', `cannot publish to ${dir}: ${(cause as Error).message}`, {
    path: dir,
    hint: 'make the folder writable for this user; what was published before is whole',
    cause,
  })
}
