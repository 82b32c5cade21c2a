// The newest build of a layer that remotes hold: of all remotes, by those who are trusted.

import type { EntryReader } from '../../cache/remotes/find-entry.ts'
import { findNewest, type NewestRecord } from '../../cache/remotes/newest-entry.ts'
import { RemoteError } from '../../cache/remotes/remote.ts'
import type { RunContext } from '../context.ts'
import { ImgError } from '../errors.ts'

export interface NewestBuild extends NewestRecord {
  /** As people know it. */
  readonly remote: string
}

/**
 * `main`'s before our own; `readers` are the remotes with all namespaces read. Throws REMOTE_FAILED when there is none
 * and a remote could not be asked; when there is one, such a remote is a warning.
 */
export async function newestBuild(
  readers: readonly EntryReader[],
  layer: string,
  { signal, emit }: Pick<RunContext, 'signal' | 'emit'>,
): Promise<NewestBuild | undefined> {
  const failures = new Map<string, RemoteError>()
  const newest = await askAll(readers, { layer, signal, failures })
  const [[from, error] = []] = failures
  if (from === undefined || error === undefined) return newest
  const message = `cannot ask ${from} for builds of ${layer}: ${error.message}`
  if (newest === undefined) {
    const hint =
      error.fault === 'denied'
        ? 'check IMG_REMOTE_USER and IMG_REMOTE_PASSWORD, IMG_REMOTE_TOKEN or the AWS variables'
        : `try again later, or compare with a build of this machine: img why ${layer} --against ${layer}@previous`
    throw new ImgError('REMOTE_FAILED', message, { layer, hint, cause: error })
  }
  emit({ event: 'warning', layer, text: message, hint: 'it may hold a newer one' })
  return newest
}

async function askAll(
  readers: readonly EntryReader[],
  asking: {
    readonly layer: string
    readonly signal: AbortSignal
    /** By remote; filled. */
    readonly failures: Map<string, RemoteError>
  },
): Promise<NewestBuild | undefined> {
  const { layer, signal, failures } = asking
  const namespaces = new Set(readers.flatMap((reader) => reader.namespaces))
  for (const namespace of namespaces) {
    const found: NewestBuild[] = []
    for (const reader of readers) {
      const remote = reader.remote.name
      if (failures.has(remote)) continue
      try {
        const newest = await findNewest(reader, { layer, namespace }, signal)
        if (newest !== undefined) found.push({ ...newest, remote })
      } catch (error) {
        if (!(error instanceof RemoteError) || signal.aborted) throw error
        failures.set(remote, error)
      }
    }
    const [first] = found.toSorted((a, b) => b.record.started - a.record.started)
    if (first !== undefined) return first
  }
  return undefined
}
