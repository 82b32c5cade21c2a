// What differs between two normalised puppet catalogs, resource by resource. Values are never shown: some are secrets.

import { canonicalJson } from './canonical.ts'
import type { Change } from './change.ts'
import type { JsonValue } from './step.ts'

export function explainCatalog(old: JsonValue, current: JsonValue): readonly Change[] {
  if (!isFields(old) || !isFields(current)) return [{ kind: 'catalog', part: 'form' }]
  const changes = explainResources(resourcesOf(old), resourcesOf(current))
  for (const part of new Set([...Object.keys(current), ...Object.keys(old)])) {
    if (part !== 'resources' && !same(old[part], current[part])) changes.push({ kind: 'catalog', part })
  }
  return changes
}

type Fields = Readonly<Record<string, JsonValue>>

const isFields = (value: JsonValue | undefined): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const same = (a: JsonValue | undefined, b: JsonValue | undefined): boolean =>
  a === b || (a !== undefined && b !== undefined && canonicalJson(a) === canonicalJson(b))

/** By reference, `File[/etc/ceph/ceph.conf]`, in the catalog's order. */
function resourcesOf(catalog: Fields): ReadonlyMap<string, Fields> {
  const { resources } = catalog
  const list = Array.isArray(resources) ? (resources as readonly JsonValue[]).filter(isFields) : []
  return new Map(list.map((resource) => [`${text(resource['type'])}[${text(resource['title'])}]`, resource]))
}

const text = (value: JsonValue | undefined): string =>
  typeof value === 'string' ? value : JSON.stringify(value)

function explainResources(old: ReadonlyMap<string, Fields>, current: ReadonlyMap<string, Fields>): Change[] {
  const changes: Change[] = []
  for (const [resource, now] of current) {
    const was = old.get(resource)
    if (was === undefined) changes.push({ kind: 'resource', resource, change: 'added', parameters: [] })
    else if (!same(was, now)) {
      changes.push({ kind: 'resource', resource, change: 'changed', parameters: differing(was, now) })
    }
  }
  for (const resource of old.keys()) {
    if (!current.has(resource))
      changes.push({ kind: 'resource', resource, change: 'removed', parameters: [] })
  }
  const kept = [...current.keys()].filter((resource) => old.has(resource))
  const before = [...old.keys()].filter((resource) => current.has(resource))
  if (kept.some((resource, index) => before[index] !== resource))
    changes.push({ kind: 'catalog', part: 'order' })
  return changes
}

/** Names of the parameters that differ, then of the resource's other fields (`tags`, `exported`). */
function differing(was: Fields, now: Fields): string[] {
  const [before, after] = [was['parameters'], now['parameters']].map((value) =>
    isFields(value) ? value : {},
  )
  return [
    ...differingKeys(before ?? {}, after ?? {}),
    ...differingKeys(was, now).filter((key) => key !== 'parameters'),
  ]
}

const differingKeys = (a: Fields, b: Fields): string[] =>
  [...new Set([...Object.keys(b), ...Object.keys(a)])].filter((key) => !same(a[key], b[key]))
