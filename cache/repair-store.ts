// Makes a damaged store whole again as far as its bytes can still be had: a damaged pack is made anew, frame by frame,
// from what of it is good, from other packs and from materialised disks. It has its old id or is not believed. What
// cannot be had is put aside and its records marked, so that the next build makes it again.

import { createHash } from 'node:crypto'
import { readFile, rm } from 'node:fs/promises'
import { openChunkIndex } from './chunk-index.ts'
import { openChunkReader } from './chunk-reader.ts'
import { markRemoved } from './collect.ts'
import { putContent, listEntries, removeEntry } from './content.ts'
import { openDiskChain } from './disk-chain.ts'
import type { Inside } from './enter-store.ts'
import { contentPath, sha256 } from './entries.ts'
import { quarantine } from './examine-pack.ts'
import { artifactProblem, readRecord } from './find-record.ts'
import { keepFooters, readKeptFooter, readOwnFooter } from './footers.ts'
import type { MapEntry } from './map-format.ts'
import { packHead, parseFooter, renderFooter, type PackFooter } from './pack-format.ts'
import { readMapLeaves, readMapRoot } from './read-map.ts'
import type { StoreDir } from './store-dir.ts'
import { verifyStore, type StoreProblem } from './verify-store.ts'

export interface Repair extends StoreProblem {
  readonly outcome: 'healed' | 'put aside'
}

export async function repairStore(
  at: StoreDir,
  all: Pick<Inside, 'disks' | 'zstd'>,
  now: number,
): Promise<readonly Repair[]> {
  const problems = await verifyStore(at, all.zstd, { readData: true })
  const repairs: Repair[] = []
  const lost = problems.filter(({ kind }) => kind === 'pack')
  for (const problem of lost) {
    const seeds = await openSeeds(at, all, problem.name)
    const isHealed = await healPack(at, { ...all, seeds }, problem.name)
    if (!isHealed) await quarantine(at, problem.name)
    repairs.push({ ...problem, outcome: isHealed ? 'healed' : 'put aside' })
  }
  for (const problem of await verifyStore(at, all.zstd, { readData: false })) {
    if (problem.kind !== 'map' && problem.kind !== 'record') continue
    if (problem.kind === 'map') await dropMap(at, problem.name)
    else await dropRecord(at, problem, now)
    repairs.push({ ...problem, outcome: 'put aside' })
  }
  await markUnusable(at, now)
  return repairs
}

/** A chunk from somewhere else than the pack, verified. */
type Seeds = (digest: Buffer) => Promise<Buffer | undefined>

async function openSeeds(
  at: StoreDir,
  { disks, zstd }: Pick<Inside, 'disks' | 'zstd'>,
  pack: string,
): Promise<Seeds> {
  const index = openChunkIndex(at, 'report')
  await index.refresh()
  index.forget(pack)
  // The damaged pack may hold the leaves of its own maps, and they may be good.
  const complete = openChunkIndex(at, 'report')
  await complete.refresh()
  const places = await placesOnDisks(at, { index: complete, zstd, disks })
  return async (digest) => {
    if (index.find(digest) !== undefined) {
      const reader = openChunkReader(at, { index, zstd, onDamage: 'report' })
      const chunk = await reader.read(digest).catch(() => undefined)
      reader.close()
      if (chunk !== undefined) return chunk
    }
    for (const { files, offset, length } of places.get(digest.toString('latin1')) ?? []) {
      const disk = openDiskChain(files)
      const chunk = Buffer.alloc(length)
      disk.read(offset, chunk)
      disk.close()
      if (createHash('sha256').update(chunk).digest().equals(digest)) return chunk
    }
    return undefined
  }
}

interface Place {
  readonly files: readonly string[]
  readonly offset: number
  readonly length: number
}

async function placesOnDisks(
  at: StoreDir,
  { index, zstd, disks }: Pick<Inside, 'index' | 'zstd' | 'disks'>,
): Promise<ReadonlyMap<string, readonly Place[]>> {
  const places = new Map<string, Place[]>()
  const reader = openChunkReader(at, { index, zstd, onDamage: 'report' })
  for await (const { key } of listEntries(at.dir)) {
    const record = key.startsWith('record:') ? readRecord(at.dir, key) : undefined
    for (const file of typeof record === 'object' ? Object.values(record.artifact) : []) {
      const files = await disks.chain(file.diskDigest)
      if (files === undefined) continue
      try {
        const leaves = readMapLeaves(reader, readMapRoot(at.dir, file))
        for await (const leaf of leaves) addPlaces(places, leaf, files)
      } catch {
        // Without its map nobody knows what lies where on the disk.
      }
    }
  }
  reader.close()
  return places
}

function addPlaces(
  places: Map<string, Place[]>,
  entries: readonly MapEntry[],
  files: readonly string[],
): void {
  for (const { offset, length, digest } of entries) {
    const name = digest.toString('latin1')
    places.set(name, [...(places.get(name) ?? []), { files, offset, length }])
  }
}

async function healPack(
  at: StoreDir,
  { zstd, seeds }: { readonly zstd: Inside['zstd']; readonly seeds: Seeds },
  pack: string,
): Promise<boolean> {
  const own = readOwnFooter(contentPath(at.dir, pack))
  const footer = readKeptFooter(at, pack) ?? (own && parseFooter(own))
  if (footer === undefined) return false
  const damaged = await readFile(contentPath(at.dir, pack)).catch(() => Buffer.alloc(0))
  const parts: Buffer[] = [packHead]
  const byFrame = chunksByFrame(footer)
  for (const [number, frame] of footer.frames.entries()) {
    const stored = damaged.subarray(frame.offset, frame.offset + frame.stored)
    const chunks = byFrame[number]!
    const raw =
      frame.codec === 'raw' ? stored : await zstd.decompress(stored, frame.raw).catch(() => undefined)
    if (raw?.length === frame.raw && chunks.every((chunk) => holds(raw, chunk))) {
      parts.push(stored)
      continue
    }
    const again = Buffer.alloc(frame.raw)
    for (const { digest, at: offset } of chunks) {
      const chunk = await seeds(digest)
      if (chunk === undefined) return false
      chunk.copy(again, offset)
    }
    parts.push(frame.codec === 'raw' ? again : await zstd.compress(again))
  }
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const tail = renderFooter(length, footer.frames, byFrame.flat())
  const bytes = Buffer.concat([...parts, tail])
  if (sha256(bytes) !== pack) return false
  await rm(contentPath(at.dir, pack), { recursive: true, force: true })
  await putContent(at.dir, `pack:${pack}`, { data: bytes, digest: pack })
  await keepFooters(at, new Map([[pack, tail]]))
  return true
}

interface FrameChunk {
  readonly digest: Buffer
  readonly frame: number
  readonly at: number
  readonly length: number
}

function chunksByFrame(footer: PackFooter): readonly (readonly FrameChunk[])[] {
  const byFrame = footer.frames.map((): FrameChunk[] => [])
  for (let chunk = 0; chunk < footer.chunkCount; chunk++) {
    const place = footer.placeOf(chunk)
    byFrame[place.frame]!.push({ ...place, digest: footer.digestAt(chunk) })
  }
  return byFrame
}

const holds = (raw: Buffer, { digest, at, length }: FrameChunk): boolean =>
  createHash('sha256')
    .update(raw.subarray(at, at + length))
    .digest()
    .equals(digest)

async function dropMap(at: StoreDir, digest: string): Promise<void> {
  await rm(contentPath(at.dir, digest), { recursive: true, force: true })
  await removeEntry(at.dir, `map:${digest}`)
}

/** A record that can be read is marked; one that cannot is as good as none. */
async function dropRecord(at: StoreDir, { name, problem }: StoreProblem, now: number): Promise<void> {
  const record = readRecord(at.dir, `record:${name}`)
  if (typeof record === 'object')
    await markRemoved(at, { ...record, removed: { at: now, why: `as ${problem}` } })
  else await removeEntry(at.dir, `record:${name}`)
}

/** Records whose maps went just now. */
async function markUnusable(at: StoreDir, now: number): Promise<void> {
  for await (const { key } of listEntries(at.dir)) {
    const record = key.startsWith('record:') ? readRecord(at.dir, key) : undefined
    if (typeof record !== 'object' || record.removed !== undefined) continue
    const problem = artifactProblem(at, record)
    if (problem !== undefined)
      await markRemoved(at, { ...record, removed: { at: now, why: `as ${problem}` } })
  }
}
