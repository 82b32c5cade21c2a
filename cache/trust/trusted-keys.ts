// Pure. keys.json: who may write which namespace of a project's remotes. It is reviewed like code.

import { ImgError } from '../../tasks/errors.ts'
import { suggestHint } from '../../tasks/plan/suggest.ts'
import { type PublicKey, readPublicKey } from './dsse.ts'

export interface TrustedKeys {
  /** Inside every signature: a record of one project is none of another. */
  readonly project: string
  readonly keys: readonly TrustedKey[]
}

export interface TrustedKey extends PublicKey {
  /** `ci`, `alice`: for people. */
  readonly name: string
  /** As written in the file. */
  readonly public: string
  /** It may write these: `main`, `dev/alice`. */
  readonly namespaces: readonly string[]
  /** Milliseconds since 1970; from then on it counts for nothing. */
  readonly notAfter: number | undefined
  readonly revoked: boolean
}

/** Throws INPUT_INVALID, naming the entry. */
export function parseTrustedKeys(text: string, path: string): TrustedKeys {
  const invalid = (message: string, hint: string): ImgError =>
    new ImgError('INPUT_INVALID', `${path}: ${message}`, { path, hint })
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw invalid(`is not JSON: ${(cause as Error).message}`, 'mend it, or make one with `img keys create`')
  }
  if (!isObject(value)) throw invalid('is not an object', 'make one with `img keys create`')
  refuseUnknown(value, ['format', 'project', 'keys'], (key) =>
    invalid(`unknown field ${key}`, suggestHint(key, ['format', 'project', 'keys'], 'fields')),
  )
  const { format, project, keys } = value
  if (format !== 1) throw invalid(`has the format ${JSON.stringify(format)}`, 'this img reads format 1')
  if (typeof project !== 'string' || !/^[A-Za-z0-9._-]{8,128}$/.test(project))
    throw invalid('has no project id', 'a project id has 8 to 128 of A-Z a-z 0-9 . _ -')
  if (!Array.isArray(keys)) throw invalid('has no list of keys', 'write "keys": []')
  const parsed = keys.map((entry: unknown, place) =>
    parseKey(entry, (message, hint) => invalid(`keys[${place}]: ${message}`, hint)),
  )
  refuseTwins(parsed, invalid)
  return { project, keys: parsed }
}

export function renderTrustedKeys({ project, keys }: TrustedKeys): string {
  const entries = keys.map(({ name, public: key, namespaces, notAfter, revoked }) => ({
    name,
    public: key,
    namespaces,
    ...(notAfter === undefined ? {} : { notAfter: new Date(notAfter).toISOString().slice(0, 10) }),
    ...(revoked ? { revoked } : {}),
  }))
  return `${JSON.stringify({ format: 1, project, keys: entries }, undefined, 2)}\n`
}

/** Why a key may not speak for a namespace now; undefined when it may. */
export function distrust(key: TrustedKey, namespace: string, now: number): string | undefined {
  if (key.revoked) return `the key ${key.name} is revoked`
  if (key.notAfter !== undefined && now >= key.notAfter) {
    return `the key ${key.name} ended on ${new Date(key.notAfter).toISOString().slice(0, 10)}`
  }
  return key.namespaces.includes(namespace) ? undefined : `the key ${key.name} may not write ${namespace}`
}

/** `main`, `dev/alice`: parts of a path in remotes. */
export const isNamespace = (text: unknown): text is string =>
  typeof text === 'string' && /^[a-z0-9][a-z0-9_-]{0,31}(?:\/[a-z0-9][a-z0-9_-]{0,31})?$/.test(text)

type Invalid = (message: string, hint: string) => ImgError

function parseKey(entry: unknown, invalid: Invalid): TrustedKey {
  if (!isObject(entry))
    throw invalid('is not an object', 'write { "name": …, "public": …, "namespaces": […] }')
  const fields = ['name', 'public', 'namespaces', 'notAfter', 'revoked']
  refuseUnknown(entry, fields, (key) => invalid(`unknown field ${key}`, suggestHint(key, fields, 'fields')))
  const { name, public: text, namespaces, notAfter, revoked = false } = entry
  if (typeof name !== 'string' || !/^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/.test(name))
    throw invalid(`has the name ${JSON.stringify(name)}`, 'a name has up to 64 of A-Z a-z 0-9 . _ @ -')
  const key = typeof text === 'string' ? readPublicKey(text) : undefined
  if (key === undefined || typeof text !== 'string')
    throw invalid(`public is no ed25519 key`, 'copy what `img keys create` printed')
  if (!Array.isArray(namespaces) || namespaces.length === 0 || !namespaces.every(isNamespace))
    throw invalid('has no valid namespaces', 'for example ["main"] or ["dev/alice"]')
  if (typeof revoked !== 'boolean')
    throw invalid('revoked is neither true nor false', 'write "revoked": true')
  return { ...key, name, public: text, namespaces, notAfter: parseDate(notAfter, invalid), revoked }
}

function parseDate(value: unknown, invalid: Invalid): number | undefined {
  if (value === undefined) return undefined
  const ms =
    typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value) ? Date.parse(`${value}T00:00:00Z`) : NaN
  if (Number.isNaN(ms)) throw invalid(`notAfter is ${JSON.stringify(value)}`, 'write a day: 2027-01-31')
  return ms
}

/** One key under two names would count twice, and revoking one would leave the other. */
function refuseTwins(keys: readonly TrustedKey[], invalid: Invalid): void {
  const [names, ids] = [new Set<string>(), new Set<string>()]
  for (const [place, { name, id }] of keys.entries()) {
    if (names.has(name))
      throw invalid(`keys[${place}]: there is another key ${name}`, 'give each its own name')
    if (ids.has(id))
      throw invalid(`keys[${place}]: the key of ${name} is there twice`, 'remove one of the two')
    names.add(name)
    ids.add(id)
  }
}

function refuseUnknown(value: object, known: readonly string[], error: (key: string) => ImgError): void {
  for (const key of Object.keys(value)) if (!known.includes(key)) throw error(key)
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
