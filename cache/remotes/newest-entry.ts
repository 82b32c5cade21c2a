// Which build of a layer is the newest in a remote. Nothing there is ever changed or listed, so each signer counts: its
// first announcement of a layer is number 1, and the last one there is its newest.

import { checkBlob } from './read-blob.ts'
import { blobOf, createEntry, type Publisher, sendBlob } from './publish-entry.ts'
import { entryName, type EntryReader, findEntry, valueSubject } from './find-entry.ts'
import { blobName, RemoteError } from './remote.ts'
import type { LayerRecord } from '../store.ts'
import { openEntry, signersOf } from '../trust/signed-entry.ts'
import type { TrustedKey } from '../trust/trusted-keys.ts'

export interface NewestRecord {
  readonly record: LayerRecord
  readonly namespace: string
  /** Name of the key. */
  readonly signer: string
}

/** Of all who may write the namespace. Throws RemoteError. */
export async function findNewest(
  reader: EntryReader,
  { layer, namespace }: Pick<Place, 'layer' | 'namespace'>,
  signal: AbortSignal,
): Promise<NewestRecord | undefined> {
  const own = { ...reader, namespaces: [namespace] }
  const found: NewestRecord[] = []
  // One after the other: a remote that is down fails once.
  for (const signer of signersOf(reader.keys, namespace, reader.now())) {
    const place = { layer, namespace, signer }
    const last = await lastNumber(reader.remote, place, signal)
    const newest = await newestUpTo(last, { reader, place, signal })
    const entry = newest && (await findEntry(own, newest.key, signal))
    if (entry?.content.kind !== 'record' || entry.content.record.layer !== layer) continue
    found.push({ record: entry.content.record, namespace, signer: entry.signer })
  }
  return found.toSorted((a, b) => b.record.started - a.record.started)[0]
}

/** Says that a record, which is there already, is the newest of its layer; nothing when a newer one was announced. */
export async function announceNewest(record: LayerRecord, to: Publisher, reader: EntryReader): Promise<void> {
  const { key, layer, started } = record
  const { remote, namespace, signal } = to
  const signer = reader.keys.keys.find(({ id }) => id === to.key.id)
  if (signer === undefined) return
  const place = { layer, namespace, signer }
  const last = await lastNumber(remote, place, signal)
  const newest = await newestUpTo(last, { reader, place, signal })
  if (newest !== undefined && (newest.key === key || newest.started > started)) return
  const announcement = Buffer.from(JSON.stringify({ key, layer, started }))
  const blob = blobOf(announcement)
  await sendBlob(blob, to)
  const refers = [blobName(blob.digest)]
  // Whoever writes with the same key at the same time takes a number; then the next one is ours.
  for (let number = last + 1; number <= last + takenMax; number++) {
    const entry = { kind: 'value', blob: blob.digest } as const
    if ((await createEntry(subjectOf(layer, number), entry, { ...to, refers })) === 'created') return
  }
  throw new RemoteError('answer', `${remote.name} says of ${takenMax} new things that they are there already`)
}

interface Place {
  readonly layer: string
  readonly namespace: string
  readonly signer: TrustedKey
}

interface Announcement {
  readonly key: string
  readonly started: number
}

interface Asking {
  readonly reader: EntryReader
  readonly place: Place
  readonly signal: AbortSignal
}

async function newestUpTo(
  last: number,
  { reader, place, signal }: Asking,
): Promise<Announcement | undefined> {
  const { remote, keys, now, onRefused } = reader
  const { layer, namespace, signer } = place
  for (let number = last; number > Math.max(0, last - refusedMax); number--) {
    const subject = subjectOf(layer, number)
    const name = entryName(namespace, subject, signer.id)
    const bytes = await remote.read(name, { signal, limit: announcementMax })
    if (bytes === undefined) continue
    const content = openEntry(bytes, { project: keys.project, namespace, subject }, { signer, now: now() })
    if (typeof content !== 'string' && content.kind === 'value') {
      const blob = await remote.read(blobName(content.blob), { signal, limit: announcementMax })
      // Lost since: as if it had never been announced.
      if (blob === undefined) continue
      checkBlob(remote, content.blob, blob)
      const announcement = parseAnnouncement(blob, layer)
      if (announcement !== undefined) return announcement
    }
    const reason = typeof content === 'string' ? content : `the entry announces no build of ${layer}`
    onRefused({ remote: remote.name, name, reason })
  }
  return undefined
}

/** 0 when there is none. Twice as far each time, then halving: 14 questions for a hundred builds. */
async function lastNumber(
  remote: EntryReader['remote'],
  { layer, namespace, signer }: Place,
  signal: AbortSignal,
): Promise<number> {
  const isThere = (number: number): Promise<boolean> =>
    remote.has(entryName(namespace, subjectOf(layer, number), signer.id), signal)
  let beyond = 1
  while (await isThere(beyond)) {
    if (beyond > lastMax)
      throw new RemoteError('answer', `${remote.name} says that ${layer} was announced ${beyond} times`)
    beyond *= 2
  }
  let last = Math.floor(beyond / 2)
  while (last + 1 < beyond) {
    const middle = Math.floor((last + beyond) / 2)
    if (await isThere(middle)) last = middle
    else beyond = middle
  }
  return last
}

const subjectOf = (layer: string, number: number): string => valueSubject(`newest ${layer} ${number}`)

function parseAnnouncement(bytes: Buffer, layer: string): Announcement | undefined {
  try {
    const value = JSON.parse(bytes.toString()) as Partial<Record<string, unknown>> | null
    const { key, started } = value ?? {}
    const isOne = typeof key === 'string' && /^[0-9a-f]{64}$/.test(key) && typeof started === 'number'
    return isOne && value?.['layer'] === layer ? { key, started } : undefined
  } catch {
    return undefined
  }
}

const announcementMax = 64 * 1024
/** More do not write with one key at once, nor is a layer built so often: a remote that says so says it of everything. */
const takenMax = 64
const lastMax = 1_000_000
/** Entries that are not to be trusted are passed over, but not without end. */
const refusedMax = 16
