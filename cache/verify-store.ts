// Looks for damage and changes nothing. Without `readData`: footers, lengths, maps, records and the index's lines.
// With it: every byte, each chunk decoded and hashed. Problems are values; none means everything recorded can be had.

import { createHash, randomInt } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openRawSource } from './block-source.ts'
import { openChunkIndex, type ChunkIndex } from './chunk-index.ts'
import { openChunkReader, type ChunkReader } from './chunk-reader.ts'
import { listCondemned } from './collect.ts'
import { listEntries } from './content.ts'
import { bucketLines, contentPath, readContent, sha256 } from './entries.ts'
import { artifactProblem, readRecord } from './find-record.ts'
import { isKept, listPacks, packProblem, readKeptFooter, readOwnFooter } from './footers.ts'
import { parseFooter, type PackFooter } from './pack-format.ts'
import { MapError, parseRoot } from './map-format.ts'
import { readMapEntries } from './read-map.ts'
import type { StoreDir } from './store-dir.ts'
import { listFolder } from './tidy.ts'
import type { Zstd } from './zstd.ts'

export interface VerifyOptions {
  readonly readData: boolean
  /** Instead of all of the data, this share of it (0 to 1), other frames each time. */
  readonly sample?: number
}

export interface StoreProblem {
  readonly kind: 'pack' | 'map' | 'record' | 'value' | 'index'
  /** Pack or map digest, key of a record or value, path of an index file. */
  readonly name: string
  /** Completes "pack NAME …". */
  readonly problem: string
}

export async function verifyStore(
  at: StoreDir,
  zstd: Zstd,
  { readData, sample }: VerifyOptions,
): Promise<readonly StoreProblem[]> {
  const problems: StoreProblem[] = []
  const report = (kind: StoreProblem['kind'], name: string, problem: string | undefined): void => {
    if (problem !== undefined) problems.push({ kind, name, problem })
  }
  for (const pack of listPacks(at)) {
    report(
      'pack',
      pack,
      packProblem(at, pack) ??
        (await packDamage(at, pack, readData ? zstd : undefined)) ??
        (await sampleDamage(at, pack, { zstd, share: sample ?? 0 })),
    )
  }
  for (const path of listBuckets(at.dir)) {
    const damaged = [...bucketLines(readFileSync(path, 'utf8'))].filter(
      ({ entry }) => entry === undefined,
    ).length
    report('index', path, damaged === 0 ? undefined : `has ${damaged} damaged lines`)
  }
  const broken = new Set(problems.map(({ name }) => name))
  const condemned = await listCondemned(at)
  const maps = await openMapCheck(at, zstd, broken)
  try {
    for await (const { key, digest } of listEntries(at.dir)) {
      const [kind, name] = [key.slice(0, key.indexOf(':')), key.slice(key.indexOf(':') + 1)]
      if (kind === 'map' && !condemned.has(key)) report('map', name, await maps.problemOf(name))
      if (kind === 'record') report('record', name, recordProblem(at, key))
      if (kind === 'value' && readData) {
        const { status } = readContent(at.dir, digest)
        report('value', name, status === 'whole' ? undefined : `is ${status}`)
      }
    }
  } finally {
    maps.close()
  }
  return problems
}

/** The pack's own footer against the kept one; with `zstd`, all of it. */
async function packDamage(at: StoreDir, pack: string, zstd: Zstd | undefined): Promise<string | undefined> {
  const path = contentPath(at.dir, pack)
  const own = readOwnFooter(path)
  const footer = own && parseFooter(own)
  if (own === undefined || footer === undefined) return 'has a damaged footer'
  if (!isKept(at, pack, own)) return 'has another footer than the one kept of it'
  if (zstd === undefined) return undefined
  const bytes = await readFile(path)
  if (sha256(bytes) !== pack) return 'has damaged bytes'
  return chunkDamage(bytes, footer, { zstd })
}

/** Frames read by themselves, each with the given chance. */
async function sampleDamage(
  at: StoreDir,
  pack: string,
  { zstd, share }: { readonly zstd: Zstd; readonly share: number },
): Promise<string | undefined> {
  const footer = readKeptFooter(at, pack)
  if (footer === undefined || share === 0) return undefined
  const chosen = new Set([...footer.frames.keys()].filter(() => randomInt(2 ** 32) < share * 2 ** 32))
  if (chosen.size === 0) return undefined
  const source = openRawSource(contentPath(at.dir, pack))
  try {
    const bytes = Buffer.alloc(footer.packSize)
    for (const number of chosen) {
      const { offset, stored } = footer.frames[number]!
      source.read(offset, bytes.subarray(offset, offset + stored))
    }
    return await chunkDamage(bytes, footer, { zstd, chosen })
  } finally {
    source.close()
  }
}

async function chunkDamage(
  bytes: Buffer,
  footer: PackFooter,
  { zstd, chosen }: { readonly zstd: Zstd; readonly chosen?: ReadonlySet<number> },
): Promise<string | undefined> {
  const byFrame = footer.frames.map((): number[] => [])
  for (let chunk = 0; chunk < footer.chunkCount; chunk++) byFrame[footer.placeOf(chunk).frame]!.push(chunk)
  for (const [number, frame] of footer.frames.entries()) {
    if (chosen?.has(number) === false) continue
    const stored = bytes.subarray(frame.offset, frame.offset + frame.stored)
    const raw =
      frame.codec === 'raw' ? stored : await zstd.decompress(stored, frame.raw).catch(() => undefined)
    for (const chunk of byFrame[number]!) {
      const { at, length } = footer.placeOf(chunk)
      const digest = footer.digestAt(chunk)
      const found =
        raw &&
        createHash('sha256')
          .update(raw.subarray(at, at + length))
          .digest()
      if (found?.equals(digest) !== true) return `does not hold chunk ${digest.toString('hex')}`
    }
  }
  return undefined
}

interface MapCheck {
  problemOf(mapDigest: string): Promise<string | undefined>
  close(): void
}

/** Every chunk a map names must be in a pack nothing was found wrong with. */
async function openMapCheck(at: StoreDir, zstd: Zstd, broken: ReadonlySet<string>): Promise<MapCheck> {
  const index: ChunkIndex = openChunkIndex(at, 'report')
  await index.refresh()
  for (const pack of broken) index.forget(pack)
  const reader: ChunkReader = openChunkReader(at, { index, zstd, onDamage: 'report' })
  return {
    async problemOf(mapDigest) {
      const content = readContent(at.dir, mapDigest)
      if (content.status !== 'whole') return `is ${content.status}`
      try {
        const root = parseRoot(content.data)
        for (const digest of [...root.leaves.map((leaf) => leaf.digest), ...root.places]) {
          if (index.find(digest) === undefined)
            return `needs chunk ${digest.toString('hex')}, which is in no whole pack`
        }
        for (const { digest } of await readMapEntries(reader, root)) {
          if (index.find(digest) === undefined)
            return `needs chunk ${digest.toString('hex')}, which is in no whole pack`
        }
        return undefined
      } catch (cause) {
        if (cause instanceof MapError || (cause as Error).name === 'ChunkLost')
          return (cause as Error).message
        throw cause
      }
    },
    close: () => reader.close(),
  }
}

function recordProblem(at: StoreDir, entryKey: string): string | undefined {
  const record = readRecord(at.dir, entryKey)
  if (typeof record === 'string') return record
  return record?.removed === undefined ? record && artifactProblem(at, record) : undefined
}

function* listBuckets(dir: string): Generator<string> {
  const top = join(dir, 'index-v5')
  for (const first of listFolder(top)) {
    for (const second of listFolder(join(top, first))) {
      for (const rest of listFolder(join(top, first, second))) yield join(top, first, second, rest)
    }
  }
}
