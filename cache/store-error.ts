// What the file system refuses and what the store finds wrong with itself become errors of ours; a bug stays one.

import { statfsSync } from 'node:fs'
import { ImgError } from '../tasks/errors.ts'

/** `doing` completes "…while …": `storing disk.raw`. */
export function toStoreError(cause: unknown, doing: string, dir: string): Error {
  if (!(cause instanceof Error)) return new TypeError(`thrown while ${doing}: ${String(cause)}`)
  if (cause instanceof ImgError) return cause
  const text = cause.message
  const code = errnoOf(cause, text)
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') {
    return new ImgError('DISK_FULL', `no space left while ${doing}: ${freeSpace(dir)} free in ${dir}`, {
      path: dir,
      hint: 'free some space there, or set IMG_CACHE_DIR to a folder on a larger disk',
      cause,
    })
  }
  if (code !== undefined && refused.has(code)) {
    return new ImgError('CACHE_UNWRITABLE', `cannot write to ${dir} while ${doing}: ${text}`, {
      path: dir,
      hint: 'make the folder writable for this user, or set IMG_CACHE_DIR to another one',
      cause,
    })
  }
  if (code === undefined && Object.getPrototypeOf(cause) === Error.prototype) {
    return new ImgError('CACHE_DAMAGED', `${dir} is damaged, seen while ${doing}: ${text}`, {
      path: dir,
      hint: 'run `img cache repair`, then the command again',
      cause,
    })
  }
  if (code === undefined || code.startsWith('ERR_')) return cause
  return new ImgError('CACHE_UNWRITABLE', `the file system of ${dir} failed while ${doing}: ${text}`, {
    path: dir,
    hint: 'check the disk and the kernel log, then run the command again',
    cause,
  })
}

export function errnoOf(cause: unknown, text = ''): string | undefined {
  // cacache overwrites the code of a failed move with EEXIST; the message keeps the real one.
  const said = /^(E[A-Z]+):/.exec(text)?.[1]
  if (said !== undefined) return said
  const code = (cause as { code?: unknown } | null | undefined)?.code
  return typeof code === 'string' ? code : undefined
}

/** Errors of this process, not of the file it reads. */
export const scarce: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EACCES', 'EPERM'])

const refused: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EISDIR', 'ELOOP'])

function freeSpace(dir: string): string {
  try {
    const { bavail, bsize } = statfsSync(dir)
    return `${Math.floor((bavail * bsize) / 1024 / 1024)} MiB`
  } catch {
    return 'an unknown amount'
  }
}
