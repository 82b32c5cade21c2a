// Looks an entry up in a remote. No listing: who may have written it is known, so its names are.

import { createHash } from 'node:crypto'
import { type EntryContent, openEntry, signersOf } from '../trust/signed-entry.ts'
import type { TrustedKeys } from '../trust/trusted-keys.ts'
import type { Remote } from './remote.ts'

export interface EntryReader {
  readonly remote: Remote
  readonly keys: TrustedKeys
  /** In the order in which they are believed. */
  readonly namespaces: readonly string[]
  readonly now: () => number
  /** An entry that is there and must not be: somebody may be trying something. */
  readonly onRefused: (refusal: Refusal) => void
}

export interface Refusal {
  readonly remote: string
  readonly name: string
  /** One sentence. */
  readonly reason: string
}

export interface FoundEntry {
  readonly content: EntryContent
  readonly namespace: string
  /** Name of the key. */
  readonly signer: string
}

/** The first that counts; throws RemoteError. */
export async function findEntry(
  reader: EntryReader,
  subject: string,
  signal: AbortSignal,
): Promise<FoundEntry | undefined> {
  const { remote, keys, namespaces, now, onRefused } = reader
  for (const namespace of namespaces) {
    const signers = signersOf(keys, namespace, now())
    const names = signers.map(({ id }) => entryName(namespace, subject, id))
    const entries = await Promise.all(names.map((name) => remote.read(name, { signal, limit: entryMax })))
    for (const [place, bytes] of entries.entries()) {
      if (bytes === undefined) continue
      const signer = signers[place]!
      const content = openEntry(bytes, { project: keys.project, namespace, subject }, { signer, now: now() })
      if (typeof content !== 'string') return { content, namespace, signer: signer.name }
      onRefused({ remote: remote.name, name: names[place]!, reason: content })
    }
  }
  return undefined
}

export const entryName = (namespace: string, subject: string, signer: string): string =>
  `records/${namespace}/${subject.slice(0, 2)}/${subject}/${signer}`

/** What the entry of a small value is found under. */
export const valueSubject = (name: string): string =>
  createHash('sha256').update(`value ${name}`).digest('hex')

const entryMax = 4 * 1024 * 1024
