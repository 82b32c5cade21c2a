// Pure. What a remote holds of a build: a record or a small value, and the blobs behind it, signed for one project,
// one namespace and one name. All that decides where an entry counts is under its signature.

import { createHash } from 'node:crypto'
import { canonicalJson } from '../../tasks/plan/canonical.ts'
import type { JsonValue } from '../../tasks/plan/step.ts'
import { parseRecord } from '../record.ts'
import type { LayerRecord } from '../store.ts'
import { openEnvelope, type PrivateKey, signEnvelope } from './dsse.ts'
import { distrust, type TrustedKey, type TrustedKeys } from './trusted-keys.ts'

export interface EntryPlace {
  readonly project: string
  readonly namespace: string
  /** A layer's key, or the sha256 of a value's name. */
  readonly subject: string
}

export type EntryContent = RecordEntry | { readonly kind: 'value'; readonly blob: string }

export interface RecordEntry {
  readonly kind: 'record'
  readonly record: LayerRecord
  /** By pack id: bytes of the pack, and the blob its footer is. */
  readonly packs: Readonly<Record<string, { readonly size: number; readonly footer: string }>>
  /** The blob the log is. */
  readonly log: string | undefined
}

export function signEntry(place: EntryPlace, content: EntryContent, key: PrivateKey): Buffer {
  const payload = { format: 1, ...place, ...content }
  return signEnvelope(entryType, Buffer.from(JSON.stringify(payload)), key)
}

/** The content, or why the entry counts for nothing: one sentence. */
export function openEntry(
  bytes: Buffer,
  place: EntryPlace,
  facts: { readonly signer: TrustedKey; readonly now: number },
): EntryContent | string {
  const { signer, now } = facts
  const distrusted = distrust(signer, place.namespace, now)
  if (distrusted !== undefined) return distrusted
  const payload = openEnvelope(entryType, bytes, signer)
  if (typeof payload === 'string') return `the entry ${payload}`
  const value = parseJson(payload)
  if (value === undefined) return 'the entry is not a JSON object'
  for (const field of ['project', 'namespace', 'subject'] as const) {
    if (value[field] !== place[field]) return `the entry was signed for another ${field}`
  }
  if (value['format'] !== 1) return `the entry has the format ${JSON.stringify(value['format'])}`
  return value['kind'] === 'value' ? parseValue(value) : parseRecordEntry(value, place)
}

/** Who may have written entries that count in a namespace now. */
export const signersOf = (keys: TrustedKeys, namespace: string, now: number): readonly TrustedKey[] =>
  keys.keys.filter((key) => distrust(key, namespace, now) === undefined)

const entryType = 'application/vnd.img.entry.v1+json'

function parseValue(value: Readonly<Record<string, JsonValue>>): EntryContent | string {
  const { blob } = value
  return isDigest(blob) ? { kind: 'value', blob } : 'the entry names no value'
}

function parseRecordEntry(
  value: Readonly<Record<string, JsonValue>>,
  place: EntryPlace,
): EntryContent | string {
  if (value['kind'] !== 'record') return `the entry is a ${JSON.stringify(value['kind'])}`
  const record = parseRecord(Buffer.from(JSON.stringify(value['record'] ?? null)))
  if (typeof record === 'string') return `the record in it ${record}`
  if (record.key !== place.subject) return 'the record in it is of another key'
  if (!Object.keys(record.artifact).every((name) => /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(name)))
    return 'the record in it has a file whose name is none'
  if (digestOf(record.keyRecord) !== record.key)
    return 'the record in it is not of the inputs its key stands for'
  const packs = value['packs']
  const log = value['log']
  if (log !== undefined && !isDigest(log)) return 'the entry names no log'
  if (!isObject(packs)) return 'the entry has no packs'
  const parsed: Record<string, { size: number; footer: string }> = {}
  for (const [id, pack] of Object.entries(packs)) {
    const { size, footer } = isObject(pack) ? pack : {}
    const isSize = typeof size === 'number' && Number.isSafeInteger(size) && size > 0 && size <= packMax
    if (!isDigest(id) || !isSize || !isDigest(footer)) return 'the entry has a pack that cannot be'
    parsed[id] = { size, footer }
  }
  const needed = Object.values(record.artifact).flatMap(({ packs: ids }) => ids)
  if (needed.some((id) => !Object.hasOwn(parsed, id))) return 'the entry lacks a pack its record needs'
  return { kind: 'record', record, packs: parsed, log }
}

const digestOf = (value: JsonValue): string => createHash('sha256').update(canonicalJson(value)).digest('hex')

const packMax = 64 * 1024 * 1024

const isDigest = (value: unknown): value is string =>
  typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)

const isObject = (value: unknown): value is Readonly<Record<string, JsonValue>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function parseJson(payload: Buffer): Readonly<Record<string, JsonValue>> | undefined {
  try {
    const value: unknown = JSON.parse(payload.toString())
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
