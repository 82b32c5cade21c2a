// The kept footers: which packs are in the store, and what is in them. A pack counts from the moment its footer is
// here, so a pack a crash left half-written is nobody's.

import { closeSync, fstatSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { contentPath } from './entries.ts'
import { syncPath, writeDurably } from './durable.ts'
import { parseFooter, parseTrailer, trailerLength, type PackFooter } from './pack-format.ts'
import type { StoreDir } from './store-dir.ts'
import { errnoOf } from './store-error.ts'
import { makeFolder } from './make-folder.ts'

/** Ids of the packs in the store, sorted. */
export function listPacks(at: StoreDir): readonly string[] {
  try {
    return readdirSync(at.footers)
      .flatMap((name) => /^([0-9a-f]{64})\.idx$/.exec(name)?.[1] ?? [])
      .toSorted()
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return []
    throw cause
  }
}

/** Undefined when a pack is whole as far as its length and its kept footer's tell; else what is wrong with it. */
export function packProblem(at: StoreDir, pack: string): string | undefined {
  const tail = readTail(footerPath(at, pack))
  if (tail === undefined) return 'is missing'
  const trailer = parseTrailer(tail.bytes)
  if (trailer === undefined || trailer.footerLength + trailerLength !== tail.size)
    return 'has a damaged footer'
  const found = fileSize(contentPath(at.dir, pack))
  if (found === undefined) return 'is missing'
  return found === trailer.packSize ? undefined : `has ${found} bytes instead of ${trailer.packSize}`
}

/** Undefined when it is damaged or missing. */
export function readKeptFooter(at: StoreDir, pack: string): PackFooter | undefined {
  const kept = readKept(at, pack)
  return kept && parseFooter(kept)
}

/** Footer and trailer as they end the pack; throws when they are not here. */
export function readFooterBytes(at: StoreDir, pack: string): Buffer {
  const bytes = readKept(at, pack)
  if (bytes === undefined || parseFooter(bytes) === undefined)
    throw new Error(`the footer of pack ${pack} is missing or damaged in ${at.footers}`)
  return bytes
}

export function isKept(at: StoreDir, pack: string, footer: Buffer): boolean {
  return readKept(at, pack)?.equals(footer) === true
}

/** Footer and trailer bytes as they end a pack file. */
export function readOwnFooter(packPath: string): Buffer | undefined {
  const tail = readTail(packPath)
  const trailer = tail && parseTrailer(tail.bytes)
  if (tail === undefined || trailer === undefined || trailer.packSize !== tail.size) return undefined
  return readRange(packPath, trailer.footerOffset, trailer.footerLength + trailerLength)
}

/** Makes the packs part of the store, durably. */
export async function keepFooters(at: StoreDir, footers: ReadonlyMap<string, Buffer>): Promise<void> {
  if (footers.size === 0) return
  makeFolder(at.footers)
  for (const [pack, bytes] of footers) await writeDurably(footerPath(at, pack), bytes, at.tmp)
  await syncPath(at.footers)
}

export async function dropFooter(at: StoreDir, pack: string): Promise<void> {
  await rm(footerPath(at, pack), { force: true, recursive: true })
}

function readKept(at: StoreDir, pack: string): Buffer | undefined {
  try {
    return readFileSync(footerPath(at, pack))
  } catch {
    // Missing or unreadable: the pack has its own copy.
    return undefined
  }
}

const footerPath = (at: StoreDir, pack: string): string => join(at.footers, `${pack}.idx`)

function readTail(path: string): { readonly bytes: Buffer; readonly size: number } | undefined {
  const size = fileSize(path)
  if (size === undefined || size < trailerLength)
    return size === undefined ? undefined : { bytes: noBytes, size }
  const bytes = readRange(path, size - trailerLength, trailerLength)
  return bytes && { bytes, size }
}

const noBytes = Buffer.alloc(0)

function fileSize(path: string): number | undefined {
  const stat = statSync(path, { throwIfNoEntry: false })
  return stat?.isFile() === true ? stat.size : undefined
}

function readRange(path: string, offset: number, length: number): Buffer | undefined {
  let fd: number | undefined
  try {
    fd = openSync(path, 'r')
    if (fstatSync(fd).size < offset + length) return undefined
    const bytes = Buffer.allocUnsafe(length)
    return readSync(fd, bytes, 0, length, offset) === length ? bytes : undefined
  } catch {
    // Unreadable is damaged: the caller says so with the pack's name.
    return undefined
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}
