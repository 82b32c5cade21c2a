// What a layer's catalogs promise of the image, so that its boot test need not be told.

import type { JsonValue } from './step.ts'

export interface Promised {
  /** Installed. */
  readonly packages: readonly string[]
  readonly services: readonly PromisedService[]
}

export interface PromisedService {
  readonly name: string
  readonly running?: boolean
  readonly enabled?: boolean
}

/** `keyRecords` of the layer and what it stands on, in the order they were applied: a later promise replaces an earlier. */
export function promisesOf(keyRecords: readonly JsonValue[]): Promised {
  const packages = new Map<string, boolean>()
  const services = new Map<string, PromisedService>()
  for (const resource of keyRecords.flatMap(puppetResources)) {
    const name = text(resource.parameters['name']) ?? resource.title
    if (resource.type === 'Package') packages.set(name, isPresent(resource.parameters['ensure']))
    if (resource.type === 'Service') services.set(name, promisedService(name, resource.parameters))
  }
  return {
    packages: [...packages].flatMap(([name, present]) => (present ? [name] : [])).toSorted(),
    services: [...services.values()],
  }
}

interface Resource {
  readonly type: string
  readonly title: string
  readonly parameters: Readonly<Record<string, JsonValue>>
}

function puppetResources(keyRecord: JsonValue): readonly Resource[] {
  const phases = list(member(keyRecord, 'phases'))
  const steps = phases.flatMap((phase) => list(member(phase, 'steps')))
  const catalogs = steps
    .filter((step) => member(step, 'do') === 'puppet')
    .map((step) => member(step, 'catalog'))
  return catalogs.flatMap((catalog) =>
    list(member(catalog, 'resources')).map((resource) => ({
      type: text(member(resource, 'type')) ?? '',
      title: text(member(resource, 'title')) ?? '',
      parameters: (member(resource, 'parameters') ?? {}) as Readonly<Record<string, JsonValue>>,
    })),
  )
}

/** Puppet installs a package whose `ensure` says nothing, a version, or any word but these. */
const isPresent = (ensure: JsonValue | undefined): boolean =>
  !['absent', 'purged', 'held', 'disabled'].includes(text(ensure) ?? '')

function promisedService(name: string, parameters: Readonly<Record<string, JsonValue>>): PromisedService {
  const running = truth(parameters['ensure'], { yes: 'running', no: 'stopped' })
  const enabled = truth(parameters['enable'], { yes: 'true', no: 'false' })
  return {
    name,
    ...(running === undefined ? {} : { running }),
    ...(enabled === undefined ? {} : { enabled }),
  }
}

function truth(value: JsonValue | undefined, words: { yes: string; no: string }): boolean | undefined {
  if (value === true || value === words.yes) return true
  return value === false || value === words.no ? false : undefined
}

const text = (value: JsonValue | undefined): string | undefined =>
  typeof value === 'string' ? value : undefined

const list = (value: JsonValue | undefined): readonly JsonValue[] => (Array.isArray(value) ? value : [])

function member(value: JsonValue | undefined, name: string): JsonValue | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  return (value as Readonly<Record<string, JsonValue>>)[name]
}
