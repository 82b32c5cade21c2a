// What differs between two lists of steps. Steps are paired by what they are about (a path, a command), so that one
// inserted in the middle is one difference.

import { canonicalJson } from './canonical.ts'
import type { Change } from './change.ts'
import { explainCatalog } from './explain-catalog.ts'
import type { JsonValue } from './step.ts'

export interface ModedStep {
  readonly mode: string
  readonly step: JsonValue
}

export function explainSteps(before: readonly ModedStep[], now: readonly ModedStep[]): readonly Change[] {
  const { pairs, removed, added } = pair(before.map(toItem), now.map(toItem))
  const changes = pairs.flatMap(([was, is]) => explainStep(was, is))
  changes.push(...added.map((item) => ({ kind: 'step', step: item.label, change: 'added' }) as const))
  changes.push(...removed.map((item) => ({ kind: 'step', step: item.label, change: 'removed' }) as const))
  const moved = pairs.some(([was], index) => index > 0 && was.place < (pairs[index - 1]?.[0].place ?? 0))
  if (moved) changes.push({ kind: 'order', step: undefined, of: 'steps' })
  return changes
}

type Fields = Readonly<Record<string, JsonValue>>

interface Item {
  readonly place: number
  readonly fields: Fields
  /** `write`, `apt`… */
  readonly name: string
  /** `write /etc/hostname`. */
  readonly label: string
  readonly mode: string
}

function toItem({ mode, step }: ModedStep, place: number): Item {
  const fields = isFields(step) ? step : {}
  const name = typeof fields['do'] === 'string' ? fields['do'] : 'unknown'
  const about = fields['path'] ?? fields['to'] ?? fields['argv'] ?? fields['paths'] ?? fields['suite']
  const text = Array.isArray(about) ? ` ${about.join(' ')}` : typeof about === 'string' ? ` ${about}` : ''
  return { place, fields, name, label: `${name}${text}`, mode }
}

const isFields = (value: JsonValue | undefined): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Equal labels first, in order; of what is left, steps of one kind in order; in the order of `now`. */
function pair(
  before: readonly Item[],
  now: readonly Item[],
): { pairs: [Item, Item][]; removed: Item[]; added: Item[] } {
  const pairs: [Item, Item][] = []
  let left = before
  let open = now
  for (const identity of [(item: Item) => `${item.mode} ${item.label}`, (item: Item) => item.name]) {
    const waiting = new Map<string, Item[]>()
    for (const item of left) {
      const group = waiting.get(identity(item))
      if (group === undefined) waiting.set(identity(item), [item])
      else group.push(item)
    }
    const unpaired: Item[] = []
    for (const item of open) {
      const was = waiting.get(identity(item))?.shift()
      if (was === undefined) unpaired.push(item)
      else pairs.push([was, item])
    }
    left = [...waiting.values()].flat()
    open = unpaired
  }
  const byPlace = (a: Item, b: Item): number => a.place - b.place
  pairs.sort(([, a], [, b]) => byPlace(a, b))
  return { pairs, removed: left.toSorted(byPlace), added: [...open] }
}

function explainStep(was: Item, now: Item): Change[] {
  const changes: Change[] = []
  if (was.mode !== now.mode) {
    changes.push({ kind: 'field', step: now.label, field: 'mode', was: was.mode, now: now.mode })
  }
  for (const field of new Set([...Object.keys(was.fields), ...Object.keys(now.fields)])) {
    const [old, current] = [was.fields[field], now.fields[field]]
    if (same(old, current)) continue
    changes.push(...explainField({ item: now, field, old, current }))
  }
  return changes
}

interface FieldPair {
  readonly item: Item
  readonly field: string
  readonly old: JsonValue | undefined
  readonly current: JsonValue | undefined
}

function explainField({ item, field, old, current }: FieldPair): readonly Change[] {
  const step = item.name
  if (field === 'catalog' && old !== undefined && current !== undefined) return explainCatalog(old, current)
  if (field === 'plugins') return [{ kind: 'catalog', part: 'plugins' }]
  if (field === 'sources') return explainSources(old, current)
  if (field === 'install' || field === 'remove' || field === 'packages') {
    const toChange = (name: string, change: 'added' | 'removed'): Change => ({
      kind: 'package',
      step,
      list: field,
      package: name,
      change,
    })
    return explainList({ item, field, old, current }, toChange)
  }
  if (field === 'debconf') {
    return explainList({ item, field, old, current }, (line, change) => ({ kind: 'debconf', line, change }))
  }
  // Inserting a recipe renumbers the inputs of those behind it; the steps inserted are what people want to hear of.
  if ((field === 'input' || field === 'apt') && ownName(old) === ownName(current)) return []
  return explainValue({ step: labelled(item), field, old, current })
}

/** Steps that occur once in a layer are known by their kind, others need their path or command. */
const labelled = (item: Item): string =>
  ['disk', 'bootstrap', 'seal'].includes(item.name) ? item.name : item.label

/** By content: a record that was stored may have its keys in another order. */
const same = (a: JsonValue | undefined, b: JsonValue | undefined): boolean =>
  a === b || (a !== undefined && b !== undefined && canonicalJson(a) === canonicalJson(b))

const ownName = (reference: JsonValue | undefined): unknown =>
  typeof reference === 'string' ? reference.replace(/^\d+\./, '') : reference

function explainSources(old: JsonValue | undefined, current: JsonValue | undefined): Change[] {
  const [before, after] = [isFields(old) ? old : {}, isFields(current) ? current : {}]
  return [...new Set([...Object.keys(after), ...Object.keys(before)])]
    .filter((name) => before[name] !== after[name])
    .map((name) => ({ kind: 'catalog', part: `source ${name}` }))
}

function explainList(
  { item, field, old, current }: FieldPair,
  toChange: (entry: string, change: 'added' | 'removed') => Change,
): Change[] {
  const [before, after] = [toSet(old), toSet(current)]
  const added = [...after].filter((entry) => !before.has(entry))
  const removed = [...before].filter((entry) => !after.has(entry))
  if (added.length + removed.length === 0) return [{ kind: 'order', step: item.name, of: field }]
  return [
    ...added.map((entry) => toChange(entry, 'added')),
    ...removed.map((entry) => toChange(entry, 'removed')),
  ]
}

const toSet = (list: JsonValue | undefined): ReadonlySet<string> =>
  new Set(Array.isArray(list) ? list.map(String) : [])

interface ValuePair {
  readonly step: string
  readonly field: string
  readonly old: JsonValue | undefined
  readonly current: JsonValue | undefined
}

/** Down to the value that differs: `layout.boot.timeout 0 -> 5`. */
function explainValue({ step, field, old, current }: ValuePair): readonly Change[] {
  if (same(old, current)) return []
  if (isFields(old) && isFields(current)) {
    const keys = [...new Set([...Object.keys(old), ...Object.keys(current)])]
    return keys.flatMap((key) =>
      explainValue({ step, field: `${field}.${key}`, old: old[key], current: current[key] }),
    )
  }
  if (Array.isArray(old) && Array.isArray(current) && old.length === current.length) {
    return (old as readonly JsonValue[]).flatMap((item, index) =>
      explainValue({ step, field: `${field}[${index}]`, old: item, current: current[index] as JsonValue }),
    )
  }
  if (field === 'layout.size')
    return [{ kind: 'field', step, field: 'option disk', was: size(old), now: size(current) }]
  const [was, now] = [short(field, old), short(field, current)]
  return [
    was === undefined || now === undefined
      ? { kind: 'field', step, field }
      : { kind: 'field', step, field, was, now },
  ]
}

function short(field: string, value: JsonValue | undefined): string | undefined {
  if (value === undefined) return 'unset'
  if (field.endsWith('.size')) return size(value)
  if (field === 'content' || field === 'stdin') return undefined
  const text = JSON.stringify(value)
  return text.length > 40 ? undefined : text
}

function size(bytes: JsonValue | undefined): string {
  if (typeof bytes !== 'number') return 'unset'
  for (const [unit, factor] of [
    ['G', 2 ** 30],
    ['M', 2 ** 20],
  ] as const) {
    if (bytes % factor === 0) return `${bytes / factor}${unit}`
  }
  return String(bytes)
}
