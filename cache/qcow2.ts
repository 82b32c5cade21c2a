// A qcow2 overlay, read without qemu: which of its clusters are its own, and every byte, from it or from below. Ours
// only: uncompressed, unencrypted, not corrupt. A header that says otherwise is refused.

import { closeSync, openSync } from 'node:fs'
import { readFully, type BlockSource } from './block-source.ts'
import type { Extent } from './extents.ts'

export interface Qcow2Source extends BlockSource {
  /** What the overlay says itself, data or zeros; everything else is as below. In order. */
  readonly own: readonly Run[]
}

/** A range of the disk: bytes at `file` of the overlay, or zeros. */
export interface Run extends Extent {
  readonly file: number | undefined
}

/** The message completes "the overlay …". */
export class Qcow2Odd extends Error {
  override readonly name = 'Qcow2Odd'
}

/** Throws `Qcow2Odd`. `below` stays open when this is closed; the path in the header is not followed. */
export function openQcow2(path: string, below: BlockSource): Qcow2Source {
  const descriptor = openSync(path, 'r')
  try {
    const header = readHeader(descriptor)
    const runs = [...mergeRuns(readTables(descriptor, header))]
    return {
      size: header.size,
      own: runs,
      read(position, into) {
        below.read(position, into)
        for (let at = firstRun(runs, position); at < runs.length; at++) {
          const run = runs[at]!
          const [from, to] = [Math.max(run.start, position), Math.min(run.end, position + into.length)]
          if (run.start >= position + into.length) break
          if (from >= to) continue
          const part = into.subarray(from - position, to - position)
          if (run.file === undefined) part.fill(0)
          else readFully(descriptor, run.file + from - run.start, part)
        }
      },
      close: () => closeSync(descriptor),
    }
  } catch (cause) {
    closeSync(descriptor)
    throw cause
  }
}

interface Header {
  readonly size: number
  readonly clusterBits: number
  readonly tableAt: number
  readonly tableEntries: number
  /** 32 parts of a cluster with a state of their own. */
  readonly extended: boolean
}

function readHeader(descriptor: number): Header {
  const bytes = Buffer.alloc(112)
  readFully(descriptor, 0, bytes)
  if (bytes.readUInt32BE(0) !== 0x514649fb || bytes.readUInt32BE(4) !== 3)
    throw new Qcow2Odd('is no qcow2 file')
  const incompatible = bytes.readBigUInt64BE(72)
  // 1 is "not closed cleanly", which with lazy reference counts is harmless to a reader; 16 is extended tables.
  if ((incompatible & ~0x11n) !== 0n) throw new Qcow2Odd(`has the features ${incompatible}`)
  if (bytes.readUInt32BE(32) !== 0) throw new Qcow2Odd('is encrypted')
  const clusterBits = bytes.readUInt32BE(20)
  const [size, tableAt] = [bytes.readBigUInt64BE(24), bytes.readBigUInt64BE(40)]
  const tableEntries = bytes.readUInt32BE(36)
  if (
    clusterBits < 14 ||
    clusterBits > 21 ||
    size > 2n ** 44n ||
    tableAt > 2n ** 44n ||
    tableEntries > 2 ** 22
  )
    throw new Qcow2Odd('has an impossible header')
  return {
    size: Number(size),
    clusterBits,
    tableAt: Number(tableAt),
    tableEntries,
    extended: (incompatible & 0x10n) !== 0n,
  }
}

function* readTables(descriptor: number, header: Header): Generator<Run> {
  const clusterSize = 2 ** header.clusterBits
  const entryLength = header.extended ? 16 : 8
  const top = Buffer.alloc(header.tableEntries * 8)
  readFully(descriptor, header.tableAt, top)
  const table = Buffer.alloc(clusterSize)
  const perTable = clusterSize / entryLength
  for (let index = 0; index < header.tableEntries; index++) {
    const at = offsetOf(top.readBigUInt64BE(index * 8))
    if (at === 0) continue
    readFully(descriptor, at, table)
    for (let entry = 0; entry < perTable; entry++) {
      const start = (index * perTable + entry) * clusterSize
      if (start >= header.size) return
      yield* readEntry(table.subarray(entry * entryLength, (entry + 1) * entryLength), start, header)
    }
  }
}

function* readEntry(entry: Buffer, start: number, header: Header): Generator<Run> {
  const cluster = entry.readBigUInt64BE(0)
  if ((cluster & compressed) !== 0n) throw new Qcow2Odd('has compressed clusters')
  const file = offsetOf(cluster)
  const clusterSize = 2 ** header.clusterBits
  const until = (end: number): number => Math.min(end, header.size)
  if (!header.extended) {
    const isZero = (cluster & 1n) !== 0n
    if (isZero || file !== 0)
      yield { start, end: until(start + clusterSize), file: isZero ? undefined : file }
    return
  }
  const [zero, allocated] = [entry.readUInt32BE(8), entry.readUInt32BE(12)]
  const part = clusterSize / 32
  for (let index = 0; index < 32; index++) {
    const from = start + index * part
    const isZero = ((zero >>> index) & 1) !== 0
    const isOwn = ((allocated >>> index) & 1) !== 0
    if (from >= header.size || !(isZero || isOwn)) continue
    yield { start: from, end: until(from + part), file: isZero ? undefined : file + index * part }
  }
}

const compressed = 1n << 62n
const offsetOf = (entry: bigint): number => Number(entry & 0x00fffffffffffe00n)

function* mergeRuns(runs: Iterable<Run>): Generator<Run> {
  let last: Run | undefined
  for (const run of runs) {
    const continues =
      last?.end === run.start &&
      (last.file === undefined ? run.file === undefined : run.file === last.file + last.end - last.start)
    if (continues && last !== undefined) last = { ...last, end: run.end }
    else {
      if (last !== undefined) yield last
      last = run
    }
  }
  if (last !== undefined) yield last
}

/** Index of the first run that ends behind a position. */
function firstRun(runs: readonly Run[], position: number): number {
  let [low, high] = [0, runs.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (runs[middle]!.end > position) high = middle
    else low = middle + 1
  }
  return low
}
