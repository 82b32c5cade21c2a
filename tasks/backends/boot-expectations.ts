// Pure. What steps promise of the booted image: the packages and services its catalogs and apt steps name.

import type { JsonValue, Step } from '../plan/step.ts'
import type { Expectations, ExpectedService } from './boot-checks.ts'

/** Steps of the layer and of all it stands on, parents first: later ones override earlier ones. */
export function makeExpectations(steps: readonly Step[]): Expectations {
  const packages = new Set<string>()
  const services = new Map<string, ExpectedService>()
  // What was installed first may have been replaced since, as one time daemon by another; what was asked for stays.
  const isChanged = steps.some((step) => step.do === 'apt' || step.do === 'puppet')
  for (const step of steps) {
    if (step.do === 'bootstrap' && !isChanged) for (const name of step.packages) packages.add(plainName(name))
    if (step.do === 'apt') {
      for (const name of step.install) packages.add(plainName(name))
      for (const name of step.remove) packages.delete(plainName(name))
    }
    if (step.do === 'puppet') addCatalog(step.catalog, packages, services)
  }
  return { packages: sorted(packages), services: sorted(services.keys()).map((name) => services.get(name)!) }
}

interface Resource {
  readonly type: string
  readonly title: string
  readonly parameters: Readonly<Record<string, JsonValue>>
}

function addCatalog(catalog: JsonValue, packages: Set<string>, services: Map<string, ExpectedService>): void {
  for (const { type, title, parameters } of resourcesOf(catalog)) {
    const name = typeof parameters['name'] === 'string' ? parameters['name'] : title
    if (type === 'Package') {
      if (gone.has(parameters['ensure'])) packages.delete(name)
      else packages.add(name)
    }
    if (type === 'Service') services.set(name, expectedService(name, parameters))
  }
}

function resourcesOf(catalog: JsonValue): readonly Resource[] {
  const list = isRecord(catalog) ? catalog['resources'] : undefined
  if (!Array.isArray(list)) return []
  return (list as readonly JsonValue[]).filter(isRecord).flatMap((resource) => {
    const { type, title, parameters } = resource
    if (typeof type !== 'string' || typeof title !== 'string') return []
    return [{ type, title, parameters: isRecord(parameters) ? parameters : {} }]
  })
}

function expectedService(name: string, { ensure, enable }: Resource['parameters']): ExpectedService {
  const running = means.get(ensure)
  const enabled = means.get(enable)
  return {
    name,
    ...(running === undefined ? {} : { running }),
    ...(enabled === undefined ? {} : { enabled }),
  }
}

/** Values of `ensure` and `enable`. */
const means: ReadonlyMap<JsonValue | undefined, boolean> = new Map<JsonValue | undefined, boolean>([
  ['running', true],
  ['stopped', false],
  [true, true],
  [false, false],
  ['true', true],
  ['false', false],
  ['mask', false],
])

/** Values of `ensure` that take a package away. */
const gone: ReadonlySet<JsonValue | undefined> = new Set(['absent', 'purged'])

/** apt also takes `name=version`, `name/suite`, `name:arch`, and `name-` or `name+` are not names. */
const plainName = (name: string): string => name.replace(/[=/:].*$/, '')

const isRecord = (value: JsonValue | undefined): value is Readonly<Record<string, JsonValue>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const sorted = (names: Iterable<string>): readonly string[] => [...names].toSorted((a, b) => (a < b ? -1 : 1))
