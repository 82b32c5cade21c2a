// Pure. Which records a collection keeps, and why; with a size to stay below, what is large and quick to rebuild goes
// first.

export interface StoredRecord {
  readonly key: string
  readonly layer: string
  /** Milliseconds since 1970, and how long the build took. */
  readonly started: number
  readonly duration: number
  readonly pinned: boolean
  /** The newest of its layer in one of the projects that share the store. */
  readonly newestOfProject: boolean
  readonly packs: readonly string[]
}

export interface KeepRules {
  /** Newest records of each layer; unless it is 0, each project's newest is kept besides. */
  readonly last: number
  readonly days: number
  /** Bytes of packs. */
  readonly maxBytes?: number
  /** Milliseconds since 1970. */
  readonly now: number
}

export interface Verdict {
  readonly record: StoredRecord
  readonly keep: boolean
  /** Completes "kept: …" or "removed …". */
  readonly reason: string
}

/** A verdict on every record, newest first within a layer, layers by name. */
export function planCollection(
  records: readonly StoredRecord[],
  packSizes: ReadonlyMap<string, number>,
  rules: KeepRules,
): readonly Verdict[] {
  const verdicts = byLayer(records).flatMap((layer) =>
    layer.map((record, place) => judge(record, place, rules)),
  )
  return rules.maxBytes === undefined ? verdicts : shrink(verdicts, packSizes, rules.maxBytes)
}

const day = 24 * 60 * 60 * 1000

function byLayer(records: readonly StoredRecord[]): readonly (readonly StoredRecord[])[] {
  const layers = new Map<string, StoredRecord[]>()
  for (const record of records) layers.set(record.layer, [...(layers.get(record.layer) ?? []), record])
  return [...layers]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([, layer]) => layer.toSorted((one, other) => other.started - one.started))
}

function judge(record: StoredRecord, place: number, { last, days, now }: KeepRules): Verdict {
  if (record.pinned) return { record, keep: true, reason: 'pinned' }
  if (place < last)
    return { record, keep: true, reason: last === 1 ? 'newest of its layer' : `among the newest ${last}` }
  if (last > 0 && record.newestOfProject)
    return { record, keep: true, reason: 'newest of its layer in a project' }
  if (now - record.started < days * day) return { record, keep: true, reason: `younger than ${days} days` }
  const age = days === 0 ? '' : `older than ${days} days and `
  return { record, keep: false, reason: `as it is ${age}not among the newest ${last} of its layer` }
}

function shrink(
  verdicts: readonly Verdict[],
  packSizes: ReadonlyMap<string, number>,
  maxBytes: number,
): readonly Verdict[] {
  const result = [...verdicts]
  const newest = new Map<string, StoredRecord>()
  for (const { record } of verdicts) if (!newest.has(record.layer)) newest.set(record.layer, record)
  for (;;) {
    const kept = result.flatMap(({ record, keep }) => (keep ? [record] : []))
    const users = countUsers(kept)
    const total = [...users.keys()].reduce((sum, pack) => sum + (packSizes.get(pack) ?? 0), 0)
    if (total <= maxBytes) return result
    const candidates = kept
      .filter(({ pinned }) => !pinned)
      .map((record) => {
        const freed = record.packs.reduce(
          (sum, pack) => sum + (users.get(pack) === 1 ? (packSizes.get(pack) ?? 0) : 0),
          0,
        )
        const isNewest = newest.get(record.layer) === record || record.newestOfProject
        return { record, freed, isNewest, worth: freed / Math.max(1000, record.duration) }
      })
      .toSorted((one, other) => Number(one.isNewest) - Number(other.isNewest) || other.worth - one.worth)
    const [first] = candidates
    if (first === undefined) return result
    const at = result.findIndex(({ record }) => record === first.record)
    const [size, seconds] = [Math.round(first.freed / mib), Math.round(first.record.duration / 1000)]
    const reason = `to stay below ${Math.round(maxBytes / mib)} MiB: frees ${size} MiB and took ${seconds} s to build`
    result[at] = { record: first.record, keep: false, reason }
  }
}

const mib = 1024 * 1024

/** How many records need each pack. */
function countUsers(records: readonly StoredRecord[]): ReadonlyMap<string, number> {
  const users = new Map<string, number>()
  for (const { packs } of records) for (const pack of packs) users.set(pack, (users.get(pack) ?? 0) + 1)
  return users
}
