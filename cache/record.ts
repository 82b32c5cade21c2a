// Pure. A record as bytes, and back: what is read may be old, broken or somebody else's, so every field is checked.

import type { ArtifactFile, LayerRecord, RecordedInput } from './store.ts'

export function renderRecord(record: LayerRecord): Buffer {
  return Buffer.from(`${JSON.stringify(record)}\n`)
}

/** The record, or the first thing wrong with it: completes "its record …". */
export function parseRecord(bytes: Buffer): LayerRecord | string {
  let value: unknown
  try {
    value = JSON.parse(bytes.toString())
  } catch {
    return 'is not JSON'
  }
  const wrong = firstWrong('', value, record)
  return wrong === undefined ? (value as LayerRecord) : `has no valid ${wrong}`
}

/** What a value must be: a test of the value itself, of every member, or of named members. */
type Shape =
  | { readonly is: (value: unknown) => boolean }
  | { readonly optional: Shape }
  | { readonly each: Shape; readonly of: 'object' | 'array' }
  | { readonly members: Readonly<Record<string, Shape>> }

/** Name of the first part that does not fit. */
function firstWrong(name: string, value: unknown, shape: Shape): string | undefined {
  if ('is' in shape) return shape.is(value) ? undefined : name
  if ('optional' in shape) return value === undefined ? undefined : firstWrong(name, value, shape.optional)
  if ('each' in shape) {
    const fits = shape.of === 'array' ? Array.isArray(value) : isObject(value)
    if (!fits) return name
    for (const [key, item] of Object.entries(value as object)) {
      const wrong = firstWrong(dotted(name, key), item, shape.each)
      if (wrong !== undefined) return wrong
    }
    return undefined
  }
  if (!isObject(value)) return name === '' ? 'object' : name
  for (const [key, member] of Object.entries(shape.members)) {
    const wrong = firstWrong(dotted(name, key), value[key], member)
    if (wrong !== undefined) return wrong
  }
  return undefined
}

const dotted = (name: string, key: string): string => (name === '' ? key : `${name}.${key}`)

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const text: Shape = { is: (value) => typeof value === 'string' }
const digest: Shape = { is: (value) => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value) }
const length: Shape = { is: (value) => Number.isSafeInteger(value) && (value as number) >= 0 }
const number: Shape = { is: (value) => typeof value === 'number' && Number.isFinite(value) }
const json: Shape = { is: (value) => value !== undefined }
const optionalText: Shape = { is: (value) => value === undefined || typeof value === 'string' }
const objectOf = (each: Shape): Shape => ({ each, of: 'object' })
const arrayOf = (each: Shape): Shape => ({ each, of: 'array' })
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- it makes every field of the type need a shape
const members = <T>(shapes: { readonly [Key in keyof Required<T>]: Shape }): Shape => ({ members: shapes })

const artifactFile = members<ArtifactFile>({
  size: length,
  diskDigest: digest,
  mapDigest: digest,
  packs: arrayOf(digest),
  dataBytes: length,
  addedBytes: length,
})

const recordedInput = members<RecordedInput>({
  kind: text,
  digest: text,
  files: arrayOf(members<RecordedInput['files'][number]>({ path: text, digest: text, mode: optionalText })),
})

const record = members<LayerRecord>({
  format: { is: (value) => value === 1 },
  key: digest,
  layer: text,
  keyRecord: json,
  artifact: objectOf(artifactFile),
  treeDigest: text,
  inputs: objectOf(recordedInput),
  parents: objectOf(members<LayerRecord['parents'][string]>({ key: text, treeDigest: text })),
  because: arrayOf(text),
  backend: text,
  tools: objectOf(text),
  started: number,
  durations: objectOf(number),
  log: text,
  removed: { optional: members<NonNullable<LayerRecord['removed']>>({ at: number, why: text }) },
})
