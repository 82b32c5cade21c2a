// A record into a remote: blobs first, the signed entry last, so that whoever sees the entry finds all of it.

import { readContent, sha256 } from '../entries.ts'
import { readFooterBytes } from '../footers.ts'
import { parseTrailer, trailerLength } from '../pack-format.ts'
import type { StoreDir } from '../store-dir.ts'
import type { LayerRecord } from '../store.ts'
import type { PrivateKey } from '../trust/dsse.ts'
import { type EntryContent, signEntry } from '../trust/signed-entry.ts'
import { entryName } from './find-entry.ts'
import { inParallel } from './in-parallel.ts'
import { blobName, type Remote, RemoteError } from './remote.ts'

export interface Publisher {
  readonly remote: Remote
  readonly key: PrivateKey
  readonly project: string
  readonly namespace: string
  readonly signal: AbortSignal
  /** Also looks for the blobs of an entry that is there: a remote may have lost some. */
  readonly mends?: boolean
}

export interface Published {
  readonly status: 'created' | 'there'
  /** Bytes the remote had not. */
  readonly sent: number
}

/** Throws RemoteError, or an Error when the store lacks something the record needs. */
export async function publishRecord(
  at: StoreDir,
  { record, log }: { readonly record: LayerRecord; readonly log: Buffer | undefined },
  to: Publisher,
): Promise<Published> {
  const { remote, signal } = to
  const subject = record.key
  const isThere = await remote.has(entryName(to.namespace, subject, to.key.id), signal)
  if (isThere && to.mends !== true) return { status: 'there', sent: 0 }
  const files = Object.values(record.artifact)
  const packIds = [...new Set(files.flatMap(({ packs }) => packs))]
  const packs: Record<string, { size: number; footer: string }> = {}
  const blobs: SentBlob[] = []
  for (const id of packIds) {
    const footer = readFooterBytes(at, id)
    const digest = sha256(footer)
    const size = parseTrailer(footer.subarray(-trailerLength))!.packSize
    packs[id] = { size, footer: digest }
    blobs.push({ digest: id, size, read: () => contentOf(at, id) }, blobOf(footer))
  }
  for (const { mapDigest } of files) blobs.push(blobOf(contentOf(at, mapDigest)))
  if (log !== undefined) blobs.push(blobOf(log))
  let sent = 0
  await inParallel(blobs, uploadsAtOnce, async (blob) => {
    const bytes = await sendBlob(blob, to)
    sent += bytes
  })
  if (isThere) return { status: 'there', sent }
  const content: EntryContent = { kind: 'record', record, packs, log: log && sha256(log) }
  const refers = blobs.map(({ digest }) => blobName(digest))
  return { status: await createEntry(subject, content, { ...to, refers }), sent }
}

/** A small value others would have to compute. */
export async function publishValue(subject: string, value: Buffer, to: Publisher): Promise<Published> {
  if (await to.remote.has(entryName(to.namespace, subject, to.key.id), to.signal))
    return { status: 'there', sent: 0 }
  const blob = blobOf(value)
  const sent = await sendBlob(blob, to)
  const refers = [blobName(blob.digest)]
  return { status: await createEntry(subject, { kind: 'value', blob: blob.digest }, { ...to, refers }), sent }
}

export interface SentBlob {
  /** sha256, hex. */
  readonly digest: string
  /** Bytes. */
  readonly size: number
  readonly read: () => Buffer
}

export const blobOf = (data: Buffer): SentBlob => ({
  digest: sha256(data),
  size: data.length,
  read: () => data,
})

/** Bytes sent. What is there in another length was cut short, and is written again. */
export async function sendBlob(
  { digest, size, read }: SentBlob,
  { remote, signal }: Publisher,
): Promise<number> {
  signal.throwIfAborted()
  const name = blobName(digest)
  const isThere = (): Promise<boolean> => remote.has(name, signal, size)
  if (await isThere()) return 0
  const data = read()
  if ((await remote.create(name, data, { signal })) === 'created') return size
  // Somebody else was faster, or it is damaged.
  if (await isThere()) return 0
  await remote.create(name, data, { signal, replaces: true })
  if (await isThere()) return size
  throw new RemoteError('answer', `${remote.name} keeps ${name} in another length than its ${size} bytes`)
}

export async function createEntry(
  subject: string,
  content: EntryContent,
  to: Publisher & { readonly refers: readonly string[] },
): Promise<'created' | 'there'> {
  const { remote, key, project, namespace, signal, refers } = to
  const bytes = signEntry({ project, namespace, subject }, content, key)
  return remote.create(entryName(namespace, subject, key.id), bytes, { signal, refers })
}

function contentOf(at: StoreDir, digest: string): Buffer {
  const content = readContent(at.dir, digest)
  if (content.status === 'whole') return content.data
  throw new Error(`${digest} is ${content.status} in ${at.dir}`)
}

const uploadsAtOnce = 4
