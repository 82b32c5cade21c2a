// The bytes of imgfile.lock: JSON, sorted, one fact a line, so that two states can be compared by eye.

import { randomUUID } from 'node:crypto'
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { ImgError } from '../errors.ts'

/** Beside the imgfile; also what messages call it, wherever that is. */
export const lockName = 'imgfile.lock'

export interface LockContent {
  readonly version: 1
  /** By archive and suite. */
  readonly apt: Readonly<Record<string, Readonly<Record<string, LockedSuite>>>>
  /** sha256 of each file of an installer, by the installer and what the file is. */
  readonly media?: Readonly<Record<string, Readonly<Record<string, string>>>>
}

export interface LockedSuite {
  /** sha256 of the suite's InRelease file. */
  readonly inRelease: string
  /** The Date in it, `2026-09-12T07:55:41Z`. */
  readonly date: string
  /** sha256 of each package list used, by its path below the suite. */
  readonly indexes: Readonly<Record<string, string>>
}

/** A file that does not exist is an empty lock. */
export function readLockFile(path: string): LockContent {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return { version: 1, apt: {} }
    throw new ImgError('PERMISSION', `cannot read ${lockName}`, {
      path: lockName,
      hint: 'make it readable for this user',
      cause,
    })
  }
  const content = parse(text)
  const version = (content as { readonly version?: unknown } | null)?.version
  if (typeof version === 'number' && version !== 1) {
    throw new ImgError('INPUT_INVALID', `imgfile.lock has version ${version}`, {
      path: lockName,
      wanted: '1',
      found: `${version}`,
      hint: 'use the release of img that wrote it, or remove the file to pin the present state',
    })
  }
  if (!isLockContent(content)) {
    throw new ImgError('INPUT_INVALID', 'imgfile.lock is JSON, but not the lock of a project', {
      path: lockName,
      hint: 'restore it from version control, or remove it to pin the present state',
    })
  }
  return content
}

/** Whole or not at all: a reader beside us sees the old file or the new one. */
export function writeLockFile(path: string, content: LockContent): void {
  const part = `${path}.${randomUUID()}`
  try {
    writeFileSync(part, `${JSON.stringify(sorted(content), undefined, 2)}\n`, { flush: true })
    renameSync(part, path)
  } catch (cause) {
    rmSync(part, { force: true })
    throw new ImgError('PERMISSION', `cannot write ${lockName}`, {
      path: lockName,
      hint: 'make the folder of the imgfile writable, or commit imgfile.lock and use --frozen',
      cause,
    })
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (cause) {
    const conflict = text.split('\n').findIndex((line) => /^(<<<<<<<|=======|>>>>>>>)/.test(line))
    throw new ImgError('INPUT_INVALID', 'imgfile.lock is not JSON', {
      path: lockName,
      ...(conflict < 0 ? {} : { line: conflict + 1 }),
      hint:
        conflict < 0
          ? 'restore it from version control, or remove it to pin the present state'
          : 'take either side of the merge conflict, then run `img update`',
      cause,
    })
  }
}

/** A lock is edited by hand and merged by tools, so its shape is not taken for granted. */
function isLockContent(value: unknown): value is LockContent {
  return (
    isRecord(value) &&
    value['version'] === 1 &&
    isRecord(value['apt']) &&
    Object.values(value['apt']).every(
      (suites) => isRecord(suites) && Object.values(suites).every(isLockedSuite),
    ) &&
    isLockedMedia(value['media'] ?? {})
  )
}

function isLockedMedia(value: unknown): boolean {
  return (
    isRecord(value) &&
    Object.values(value).every((files) => isRecord(files) && Object.values(files).every(isDigest))
  )
}

function isLockedSuite(value: unknown): value is LockedSuite {
  if (!isRecord(value)) return false
  const { inRelease, date, indexes } = value
  if (!isDigest(inRelease) || typeof date !== 'string' || Number.isNaN(Date.parse(date))) return false
  return isRecord(indexes) && Object.values(indexes).every(isDigest)
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isDigest(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([name, inner]) => [name, sorted(inner)]))
}
