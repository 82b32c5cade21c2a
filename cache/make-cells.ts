// Cells of a disk out of packs, in one thread and without a promise: frames decoded, cells hashed and written. Chunks
// are not verified one by one: whoever asks compares the digest of all cells with the disk's.

import { createHash } from 'node:crypto'
import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import type { ChunkLocation } from './chunk-index.ts'
import { PackDamaged } from './chunk-lost.ts'
import { cellSize } from './disk-digest.ts'
import { contentPath } from './entries.ts'
import type { Extent } from './extents.ts'
import { clusterSize } from './qcow2-layout.ts'
import { errnoOf, scarce } from './store-error.ts'
import type { Decoder } from './zstd-wasm.ts'

/** What all cells of a disk have in common. */
export interface CellsFile {
  /** Descriptor of the file that is made. */
  readonly out: number
  /** Bytes of the disk. */
  readonly size: number
  /** The cache's folder. */
  readonly dir: string
  /** Of an overlay: the files of the disk it stands on, nearest first. */
  readonly base?: readonly string[]
}

export interface CellPlan {
  readonly number: number
  /** In order of the disk, not touching; within the cell, as all offsets below offsets of the disk. */
  readonly pieces: readonly Piece[]
  /** Of an overlay only. */
  readonly overlay?: {
    /** What the disk below has there becomes zeros before the pieces are laid over it. */
    readonly cleared: readonly Extent[]
    /** The clusters to write, where in the file. */
    readonly clusters: readonly { readonly number: number; readonly to: number }[]
  }
}

/** Bytes of a decoded frame. */
export interface Piece {
  readonly offset: number
  readonly length: number
  readonly pack: string
  readonly frame: ChunkLocation['frame']
  /** Offset in the decoded frame. */
  readonly at: number
}

export interface MadeCell {
  readonly number: number
  /** sha256; undefined for zeros. */
  readonly hash: Uint8Array | undefined
  /** Numbers of an overlay's planned clusters that are zeros, and so not written. */
  readonly zeroClusters: readonly number[]
}

export interface CellMaker {
  make(plan: CellPlan): MadeCell
  close(): void
}

export async function openCellMaker(file: CellsFile): Promise<CellMaker> {
  const base = file.base && (await import('./disk-chain.ts')).openDiskChain(file.base)
  const { openDecoder } = await import('./zstd-wasm.ts')
  const frames = openFrames(file.dir, openDecoder(framesKept))
  /** Whole clusters also at the end of the disk. */
  const cell = Buffer.alloc(cellSize)
  return {
    make(plan) {
      const start = plan.number * cellSize
      const bytes = cell.subarray(0, Math.min(cellSize, file.size - start))
      if (base === undefined) clearGaps(bytes, start, plan.pieces)
      else {
        cell.fill(0, bytes.length)
        base.read(start, bytes)
      }
      for (const range of plan.overlay?.cleared ?? []) bytes.fill(0, range.start - start, range.end - start)
      for (const piece of plan.pieces) frames.read(piece).copy(bytes, piece.offset - start)
      const zeroClusters = plan.overlay && writeClusters(file.out, { start, cell }, plan.overlay.clusters)
      if (zeroClusters === undefined) writePieces(file.out, { start, cell }, plan.pieces)
      const hash = isZero(bytes) ? undefined : createHash('sha256').update(bytes).digest()
      return { number: plan.number, hash, zeroClusters: zeroClusters ?? [] }
    },
    close() {
      frames.close()
      base?.close()
    },
  }
}

function clearGaps(bytes: Buffer, start: number, pieces: readonly Piece[]): void {
  let end = start
  for (const { offset, length } of pieces) {
    bytes.fill(0, end - start, offset - start)
    end = offset + length
  }
  bytes.fill(0, end - start)
}

interface FilledCell {
  readonly start: number
  readonly cell: Buffer
}

/** Between the pieces the file keeps its holes. */
function writePieces(out: number, { start, cell }: FilledCell, pieces: readonly Piece[]): void {
  let [from, to] = [start, start]
  for (const { offset, length } of pieces) {
    if (offset > to) {
      writeFully(out, cell.subarray(from - start, to - start), from)
      from = offset
    }
    to = offset + length
  }
  writeFully(out, cell.subarray(from - start, to - start), from)
}

/** Those that are zeros, and not written. */
function writeClusters(
  out: number,
  { start, cell }: FilledCell,
  clusters: readonly { readonly number: number; readonly to: number }[],
): readonly number[] {
  const zeros: number[] = []
  for (const { number, to } of clusters) {
    const at = number * clusterSize - start
    const cluster = cell.subarray(at, at + clusterSize)
    if (isZero(cluster)) zeros.push(number)
    else writeFully(out, cluster, to)
  }
  return zeros
}

/** The kernel may take less than all of it. */
function writeFully(descriptor: number, bytes: Buffer, position: number): void {
  for (let at = 0; at < bytes.length;)
    at += writeSync(descriptor, bytes, at, bytes.length - at, position + at)
}

interface Frames {
  /** Valid until the next call. */
  read(piece: Piece): Buffer
  close(): void
}

function openFrames(dir: string, decoder: Decoder): Frames {
  const descriptors = new Map<string, number>()
  /** Which frame is in which slot, most recently used ones first. */
  const slots = Array.from({ length: framesKept }, (_, slot) => ({ frame: '', slot }))

  const openPack = (pack: string): number => {
    const opened = descriptors.get(pack) ?? openSync(contentPath(dir, pack), 'r')
    descriptors.set(pack, opened)
    return opened
  }

  const decode = ({ pack, frame }: Piece, slot: number): void => {
    try {
      const to = frame.codec === 'raw' ? decoder.slot(slot) : decoder.source(frame.stored)
      if (readSync(openPack(pack), to, 0, frame.stored, frame.offset) !== frame.stored)
        throw new Error('it is too short')
      if (frame.codec === 'zstd') decoder.decode(frame.stored, frame.raw, slot)
    } catch (cause) {
      if (scarce.has(errnoOf(cause) ?? '')) throw cause
      throw new PackDamaged(`pack ${pack}: ${cause instanceof Error ? cause.message : String(cause)}`)
    }
  }

  return {
    read(piece) {
      const frame = `${piece.pack}:${piece.frame.offset}`
      // Nearly always that of the piece before. When it is nowhere, `-1` takes the last one.
      const found = slots.findIndex((slot) => slot.frame === frame)
      const kept = slots.splice(found, 1)[0]!
      slots.unshift(kept)
      if (found < 0) {
        kept.frame = ''
        decode(piece, kept.slot)
        kept.frame = frame
      }
      return decoder.slot(kept.slot).subarray(piece.at, piece.at + piece.length)
    },
    close() {
      for (const descriptor of descriptors.values()) closeSync(descriptor)
      decoder.close()
    },
  }
}

/** Of 256 KiB each. */
const framesKept = 32

const zeroCell = Buffer.alloc(cellSize)
const isZero = (bytes: Buffer): boolean => zeroCell.compare(bytes, 0, bytes.length, 0, bytes.length) === 0
