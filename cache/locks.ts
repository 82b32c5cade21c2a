// Kernel locks (open file description locks): they die with the process, and correctness never rests on them, since
// everything appears by rename. Polled, because a blocking wait occupies one of the few threads all file access needs.

import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { ImgError } from '../tasks/errors.ts'
import { makeFolder } from './make-folder.ts'

export interface KeyLockOptions {
  /** Once, when somebody else holds the lock; `pid` is unknown for the moment between locking and writing it. */
  readonly onWait?: (holder: { readonly pid: number | undefined }) => void
  readonly signal?: AbortSignal
}

/** Runs `fn` while no other process, and nobody else in this one, runs under the same key. */
export async function withKeyLock<T>(
  lock: { readonly folder: string; readonly key: string },
  options: KeyLockOptions,
  fn: () => Promise<T>,
): Promise<T> {
  const name = /^[0-9a-f]{64}$/.test(lock.key)
    ? lock.key
    : createHash('sha256').update(lock.key).digest('hex')
  const handle = await openLock(join(lock.folder, `${name}.lock`))
  try {
    if (!(await tryLock(handle, 'exclusive'))) {
      options.onWait?.({ pid: await readHolder(handle) })
      await waitForLock(handle, 'exclusive', options.signal)
    }
    await handle.truncate(0)
    await handle.write(`${process.pid}\n`, 0)
    return await fn()
  } finally {
    await handle.close()
  }
}

/** The file is made if it is not there; a lock lasts until the handle is closed. */
export async function openLock(path: string): Promise<FileHandle> {
  makeFolder(dirname(path))
  // Not truncated: the holder's pid stays readable.
  return open(path, constants.O_RDWR | constants.O_CREAT)
}

export async function tryLock(handle: FileHandle, kind: 'shared' | 'exclusive'): Promise<boolean> {
  const native = await import('fs-native-extensions')
  return native.tryLock(handle.fd, { shared: kind === 'shared' })
}

export async function waitForLock(
  handle: FileHandle,
  kind: 'shared' | 'exclusive',
  signal?: AbortSignal,
): Promise<void> {
  while (!(await tryLock(handle, kind))) {
    if (signal?.aborted === true) throw new ImgError('INTERRUPTED', 'interrupted while waiting for a lock')
    await wait(pollMs)
  }
}

/** An exclusive lock becomes a shared one; nobody gets in between. */
export async function shareLock(handle: FileHandle): Promise<void> {
  const native = await import('fs-native-extensions')
  native.tryDowngradeLock(handle.fd)
}

const pollMs = 50

async function readHolder(handle: FileHandle): Promise<number | undefined> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(32), 0, 32, 0)
  const pid = /^(\d+)\n$/.exec(buffer.toString('latin1', 0, bytesRead))?.[1]
  return pid === undefined ? undefined : Number(pid)
}
