// What each layer's newest build takes: its bytes, what only it has, and what removing it would free.

import { statSync } from 'node:fs'
import { ChunkLost } from './chunk-lost.ts'
import { openChunkReader } from './chunk-reader.ts'
import type { ChunkIndex } from './chunk-index.ts'
import { listEntries } from './content.ts'
import { contentPath } from './entries.ts'
import { readRecord } from './find-record.ts'
import { MapError } from './map-format.ts'
import { readMapLeaves, readMapRoot } from './read-map.ts'
import type { StoreDir } from './store-dir.ts'
import type { LayerRecord } from './store.ts'
import type { Zstd } from './zstd.ts'

export interface LayerUsage {
  readonly layer: string
  /** Bytes of its files with holes, and without. */
  readonly logical: number
  readonly data: number
  /** Of the data, what no other layer has, and what another has too. */
  readonly unique: number
  readonly shared: number
  /** The data's share of packs, compressed. */
  readonly compressed: number
  /** Bytes of packs that nothing else needs. */
  readonly frees: number
}

export async function measureLayers(
  at: StoreDir,
  { index, zstd }: { readonly index: ChunkIndex; readonly zstd: Zstd },
): Promise<readonly LayerUsage[]> {
  await index.refresh()
  const records = await newestRecords(at)
  const chunks = new Map<string, ReadonlySet<string>>()
  for (const record of records) chunks.set(record.layer, await chunksOf(at, { index, zstd }, record))
  const [chunkUsers, packUsers] = [countUsers(chunks.values()), countUsers(records.map(packsOf))]
  return records.map((record) => {
    let [unique, shared, compressed] = [0, 0, 0]
    for (const chunk of chunks.get(record.layer)!) {
      const location = index.find(Buffer.from(chunk, 'latin1'))
      if (location === undefined) continue
      const { length, frame } = location
      compressed += (length / frame.raw) * frame.stored
      if (chunkUsers.get(chunk) === 1) unique += length
      else shared += length
    }
    const files = Object.values(record.artifact)
    const own = [...packsOf(record)].filter((pack) => packUsers.get(pack) === 1)
    return {
      layer: record.layer,
      logical: files.reduce((sum, { size }) => sum + size, 0),
      data: files.reduce((sum, { dataBytes }) => sum + dataBytes, 0),
      unique,
      shared,
      compressed: Math.round(compressed),
      frees: own.reduce(
        (sum, pack) => sum + (statSync(contentPath(at.dir, pack), { throwIfNoEntry: false })?.size ?? 0),
        0,
      ),
    }
  })
}

async function newestRecords(at: StoreDir): Promise<readonly LayerRecord[]> {
  const newest = new Map<string, LayerRecord>()
  for await (const { key } of listEntries(at.dir)) {
    const record = key.startsWith('record:') ? readRecord(at.dir, key) : undefined
    if (typeof record !== 'object' || record.removed !== undefined) continue
    if ((newest.get(record.layer)?.started ?? -Infinity) < record.started) newest.set(record.layer, record)
  }
  return [...newest.values()].toSorted((one, other) => (one.layer < other.layer ? -1 : 1))
}

/** Digests as latin1 text; none of a file whose map is damaged, which is for verify to say. */
async function chunksOf(
  at: StoreDir,
  { index, zstd }: { readonly index: ChunkIndex; readonly zstd: Zstd },
  record: LayerRecord,
): Promise<ReadonlySet<string>> {
  const chunks = new Set<string>()
  const reader = openChunkReader(at, { index, zstd, onDamage: 'report' })
  try {
    for (const file of Object.values(record.artifact)) {
      for await (const leaf of readMapLeaves(reader, readMapRoot(at.dir, file)))
        for (const { digest } of leaf) chunks.add(digest.toString('latin1'))
    }
  } catch (cause) {
    if (!(cause instanceof MapError) && !(cause instanceof ChunkLost)) throw cause
  } finally {
    reader.close()
  }
  return chunks
}

const packsOf = (record: LayerRecord): ReadonlySet<string> =>
  new Set(Object.values(record.artifact).flatMap(({ packs }) => packs))

function countUsers(sets: Iterable<ReadonlySet<string>>): ReadonlyMap<string, number> {
  const users = new Map<string, number>()
  for (const set of sets) for (const name of set) users.set(name, (users.get(name) ?? 0) + 1)
  return users
}
