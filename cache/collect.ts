// Removes what no kept record needs, beside builds. A record is marked first and is a miss from then on; its bytes are
// condemned, and go when everybody who was in the store at that moment has left it: they may be reading them.

import { randomUUID } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { ImgError } from '../tasks/errors.ts'
import { planCollection, type KeepRules, type StoredRecord, type Verdict } from './collect-plan.ts'
import { listEntries, putContent, removeContent, removeEntry } from './content.ts'
import { whileWriting } from './enter-store.ts'
import { contentPath, sha256 } from './entries.ts'
import { readRecord, recordKey } from './find-record.ts'
import { dropFooter, listPacks } from './footers.ts'
import { listLeases, type Lease } from './leases.ts'
import { openLock, tryLock } from './locks.ts'
import { listPins } from './pins.ts'
import { renderRecord } from './record.ts'
import type { StoreDir } from './store-dir.ts'
import type { LayerRecord } from './store.ts'
import { listFolder } from './tidy.ts'

export interface CollectOptions extends KeepRules {
  readonly dryRun: boolean
  /** How long to wait for who is storing something; a minute unless told. */
  readonly patienceMs?: number
}

export interface Collection {
  readonly verdicts: readonly Verdict[]
  /** Packs that go or went now, and packs somebody may still be reading. */
  readonly removed: { readonly packs: number; readonly bytes: number }
  readonly waiting: { readonly packs: number; readonly bytes: number; readonly processes: number }
  /** Digests of the trees kept records have or stand on. */
  readonly keptTrees: ReadonlySet<string>
}

export async function collect(at: StoreDir, lease: Lease, options: CollectOptions): Promise<Collection> {
  if (options.dryRun) return rehearse(await judgeRecords(at, options))
  const handle = await openLock(at.sweep)
  try {
    // From here on nobody is between storing something and recording it: what no record names is named by nobody.
    if (!(await waitExclusive(handle, options.patienceMs ?? 60_000))) {
      throw new ImgError('CACHE_BUSY', 'cannot remove anything: something is being stored all the time', {
        path: at.dir,
        hint: 'wait for the builds that run to end, then run `img cache gc` again',
      })
    }
    const judged = await judgeRecords(at, options)
    for (const { record, keep, reason } of judged.verdicts) {
      const whole = judged.records.find(({ key }) => key === record.key)
      if (!keep && whole !== undefined)
        await markRemoved(at, { ...whole, removed: { at: options.now, why: reason } })
    }
    await condemn(at, lease)
    const swept = await sweep(at)
    for (const name of listFolder(at.quarantine))
      await rm(join(at.quarantine, name), { recursive: true, force: true })
    return {
      verdicts: judged.verdicts,
      removed: count(judged, swept.removed),
      waiting: { ...count(judged, swept.waiting), processes: swept.processes },
      keptTrees: treesOf(judged),
    }
  } finally {
    await handle.close()
  }
}

interface Judged {
  readonly records: readonly LayerRecord[]
  readonly verdicts: readonly Verdict[]
  readonly packSizes: ReadonlyMap<string, number>
}

async function judgeRecords(at: StoreDir, rules: KeepRules): Promise<Judged> {
  const records = await loadRecords(at)
  const pins = new Set((await listPins(at.dir)).map(({ key }) => key))
  const packSizes = new Map(listPacks(at).map((pack) => [pack, packSize(at, pack)]))
  const newest = await listNewest(at)
  const stored = records.map((record) =>
    toStored(record, { pinned: pins.has(record.key), newestOfProject: newest.has(record.key) }),
  )
  return { records, verdicts: planCollection(stored, packSizes, rules), packSizes }
}

function rehearse(judged: Judged): Collection {
  const kept = new Set(judged.verdicts.flatMap(({ record, keep }) => (keep ? record.packs : [])))
  const packs = [...judged.packSizes.keys()].filter((pack) => !kept.has(pack))
  return {
    verdicts: judged.verdicts,
    removed: count(judged, packs),
    waiting: { packs: 0, bytes: 0, processes: 0 },
    keptTrees: treesOf(judged),
  }
}

function treesOf({ records, verdicts }: Judged): ReadonlySet<string> {
  const kept = new Set(verdicts.flatMap(({ record, keep }) => (keep ? [record.key] : [])))
  const trees = records
    .filter(({ key }) => kept.has(key))
    .flatMap(({ treeDigest, parents }) => [
      treeDigest,
      ...Object.values(parents).map((parent) => parent.treeDigest),
    ])
  return new Set(trees)
}

const count = ({ packSizes }: Judged, packs: readonly string[]): { packs: number; bytes: number } => ({
  packs: packs.length,
  bytes: packs.reduce((sum, pack) => sum + (packSizes.get(pack) ?? 0), 0),
})

/** What a record says is removed, or cannot be read, needs nothing. */
async function loadRecords(at: StoreDir): Promise<readonly LayerRecord[]> {
  const records: LayerRecord[] = []
  for await (const { key } of listEntries(at.dir)) {
    if (!key.startsWith('record:')) continue
    const record = readRecord(at.dir, key)
    if (typeof record === 'object' && record.removed === undefined) records.push(record)
  }
  return records
}

/** Keys of what is some project's newest of a layer. */
async function listNewest(at: StoreDir): Promise<ReadonlySet<string>> {
  const keys = new Set<string>()
  for await (const { key } of listEntries(at.dir)) {
    if (!/^latest:[^:]*\//.test(key)) continue
    const record = readRecord(at.dir, key)
    if (typeof record === 'object') keys.add(record.key)
  }
  return keys
}

export async function findRecordsBy(at: StoreDir, keyStart: string): Promise<readonly LayerRecord[]> {
  return (await loadRecords(at)).filter(({ key }) => key.startsWith(keyStart))
}

const packsOf = (record: LayerRecord): readonly string[] => [
  ...new Set(Object.values(record.artifact).flatMap(({ packs }) => packs)),
]

const toStored = (
  record: LayerRecord,
  kept: Pick<StoredRecord, 'pinned' | 'newestOfProject'>,
): StoredRecord => ({
  key: record.key,
  layer: record.layer,
  started: record.started,
  duration: record.durations['total'] ?? 0,
  ...kept,
  packs: packsOf(record),
})

/** Keeps the record for `why` and for the keys of children: only its bytes go. */
export async function markRemoved(at: StoreDir, record: LayerRecord): Promise<void> {
  const data = renderRecord(record)
  await putContent(at.dir, recordKey(record.key), { data, digest: sha256(data) })
}

/** By kind and digest: the leases it waits for. */
type Condemned = Readonly<Record<string, readonly string[]>>

async function condemn(at: StoreDir, own: Lease): Promise<void> {
  const before = readCondemned(at)
  const dead = await listDead(at)
  // After looking what is dead: whoever comes later finds the records marked.
  const leases = (await listLeases(at)).filter((id) => id !== own.id)
  const next: Record<string, readonly string[]> = {}
  for (const name of dead) next[name] = before[name]?.filter((id) => leases.includes(id)) ?? leases
  await writeCondemned(at, next)
}

/** Names, as `map:…`, of what a collection was removing when it was stopped: the next one removes the rest. */
export async function listCondemned(at: StoreDir): Promise<ReadonlySet<string>> {
  const condemned = readCondemned(at)
  if (Object.keys(condemned).length === 0) return new Set()
  return new Set((await listDead(at)).filter((name) => Object.hasOwn(condemned, name)))
}

async function listDead(at: StoreDir): Promise<readonly string[]> {
  const live = new Set<string>()
  for (const record of await loadRecords(at)) {
    for (const pack of packsOf(record)) live.add(`pack:${pack}`)
    for (const { mapDigest } of Object.values(record.artifact)) live.add(`map:${mapDigest}`)
  }
  const maps: string[] = []
  for await (const { key } of listEntries(at.dir)) if (key.startsWith('map:')) maps.push(key)
  return [...listPacks(at).map((pack) => `pack:${pack}`), ...maps].filter((name) => !live.has(name))
}

interface Swept {
  readonly removed: readonly string[]
  readonly waiting: readonly string[]
  readonly processes: number
}

async function sweep(at: StoreDir): Promise<Swept> {
  const condemned = Object.entries(readCondemned(at))
  const held = condemned.filter(([, leases]) => leases.length > 0)
  const gone = condemned.flatMap(([name, leases]) => (leases.length === 0 ? [name] : []))
  // A mark, as for a put: whoever finds it without us looks for packs we left half-removed.
  await whileWriting(at, async () => {
    for (const name of gone) await removeDead(at, name)
  })
  await writeCondemned(at, Object.fromEntries(held))
  return {
    removed: packsIn(gone),
    waiting: packsIn(held.map(([name]) => name)),
    processes: new Set(held.flatMap(([, leases]) => leases)).size,
  }
}

const packsIn = (names: readonly string[]): readonly string[] =>
  names.flatMap((name) => (name.startsWith('pack:') ? [name.slice('pack:'.length)] : []))

async function removeDead(at: StoreDir, name: string): Promise<void> {
  const digest = name.slice(name.indexOf(':') + 1)
  if (name.startsWith('pack:')) await dropFooter(at, digest)
  await removeContent(at.dir, digest)
  await removeEntry(at.dir, name)
}

async function waitExclusive(handle: Parameters<typeof tryLock>[0], patienceMs: number): Promise<boolean> {
  for (let waited = 0; waited <= patienceMs; waited += pollMs) {
    if (await tryLock(handle, 'exclusive')) return true
    await wait(pollMs)
  }
  return false
}

const pollMs = 50

function readCondemned(at: StoreDir): Condemned {
  try {
    return JSON.parse(readFileSync(at.condemned, 'utf8')) as Condemned
  } catch {
    // Missing or torn: everything dead is condemned anew.
    return {}
  }
}

async function writeCondemned(at: StoreDir, condemned: Condemned): Promise<void> {
  const temporary = `${at.condemned}.${randomUUID()}`
  await writeFile(temporary, JSON.stringify(condemned))
  await rename(temporary, at.condemned)
}

const packSize = (at: StoreDir, pack: string): number =>
  statSync(contentPath(at.dir, pack), { throwIfNoEntry: false })?.size ?? 0
