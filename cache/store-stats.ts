// What is in the store, in numbers.

import { statSync } from 'node:fs'
import { contentPath } from './entries.ts'
import { listEntries } from './content.ts'
import { listPacks, readKeptFooter } from './footers.ts'
import type { StoreDir } from './store-dir.ts'

export interface StoreStats {
  readonly packs: number
  /** Bytes of the pack files. */
  readonly packBytes: number
  readonly chunks: number
  /** Bytes of the chunks before compression. */
  readonly chunkBytes: number
  readonly maps: number
  readonly records: number
  readonly values: number
  readonly disks: { readonly count: number; readonly bytes: number }
}

export async function countStore(at: StoreDir, disks: StoreStats['disks']): Promise<StoreStats> {
  const packs = listPacks(at)
  let [packBytes, chunks, chunkBytes] = [0, 0, 0]
  for (const pack of packs) {
    packBytes += statSync(contentPath(at.dir, pack), { throwIfNoEntry: false })?.size ?? 0
    const footer = readKeptFooter(at, pack)
    chunks += footer?.chunkCount ?? 0
    for (const frame of footer?.frames ?? []) chunkBytes += frame.raw
  }
  const kinds = new Map<string, number>()
  for await (const { key } of listEntries(at.dir)) {
    const kind = key.slice(0, key.indexOf(':'))
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
  }
  const count = (kind: string): number => kinds.get(kind) ?? 0
  return {
    packs: packs.length,
    packBytes,
    chunks,
    chunkBytes,
    maps: count('map'),
    records: count('record'),
    values: count('value'),
    disks,
  }
}
