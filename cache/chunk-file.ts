// One pass over a file: cut into chunks, each with its sha256, and the disk digest. Holes are not read, zeros not kept.

import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { hashCell, makeDiskDigest, cellSize } from './disk-digest.ts'
import { chunker, makeCutter } from './cut.ts'
import { readCells } from './read-cells.ts'
import type { Extent } from './extents.ts'
import type { MapEntry } from './map-format.ts'

export interface ChunkedFile {
  readonly entries: readonly MapEntry[]
  readonly diskDigest: string
  /** Bytes in chunks. */
  readonly dataBytes: number
}

/** Called in order; the parts are valid until it returns, what it returns is awaited before the next call. */
export type TakeChunk = (digest: Buffer, parts: readonly Buffer[]) => Promise<void> | undefined

export async function chunkFile(
  file: { readonly path: string; readonly size: number },
  extents: readonly Extent[],
  take: TakeChunk,
): Promise<ChunkedFile> {
  const handle = await open(file.path, 'r')
  try {
    const cutting = startCutting(take)
    const digest = makeDiskDigest(file.size)
    const hashing: Promise<void>[] = []
    for await (const cell of readCells({ ...file, handle }, extents)) {
      const start = cell.number * cellSize
      if (!(await cutting.cell(cell.bytes, start))) continue
      hashing.push(hashCell(cell.bytes).then((hash) => digest.set(cell.number, hash)))
      if (hashing.length > 4) await hashing.shift()
    }
    await cutting.end()
    await Promise.all(hashing)
    return { entries: cutting.entries, diskDigest: digest.compute(), dataBytes: cutting.dataBytes() }
  } finally {
    await handle.close()
  }
}

interface Cutting {
  readonly entries: readonly MapEntry[]
  readonly dataBytes: () => number
  /** False when the cell is all zeros. The bytes may change afterwards. */
  cell(bytes: Buffer, start: number): Promise<boolean>
  end(): Promise<void>
}

function startCutting(take: TakeChunk): Cutting {
  const entries: MapEntry[] = []
  const cutter = makeCutter()
  let dataBytes = 0
  /** The chunk that is open: where it starts, and its bytes from the cell before. A chunk is shorter than a cell. */
  let current: { readonly offset: number; readonly before: Buffer | undefined } | undefined

  const endChunk = (rest: Buffer): Promise<void> | undefined => {
    const { offset, before } = current!
    current = undefined
    const parts = [before, rest].filter((part) => part !== undefined && part.length > 0) as Buffer[]
    const hash = createHash('sha256')
    let length = 0
    for (const part of parts) {
      hash.update(part)
      length += part.length
    }
    dataBytes += length
    const digest = hash.digest()
    entries.push({ offset, length, digest })
    return take(digest, parts)
  }
  const end = async (): Promise<void> => {
    cutter.restart()
    if (current !== undefined) await endChunk(noBytes)
  }

  return {
    entries,
    dataBytes: () => dataBytes,
    async cell(bytes, start) {
      if (current !== undefined && current.offset + current.before!.length !== start) await end()
      let anyData = false
      /** Where the open chunk begins in this cell. */
      let from = 0
      for (let at = 0; at < bytes.length; at += chunker.block) {
        const block = bytes.subarray(at, at + chunker.block)
        if (isZero(block)) {
          cutter.restart()
          if (current !== undefined) await endChunk(bytes.subarray(from, at))
          continue
        }
        anyData = true
        if (current === undefined) {
          current = { offset: start + at, before: undefined }
          from = at
        }
        if (cutter.endsWith(block)) await endChunk(bytes.subarray(from, at + block.length))
      }
      if (current !== undefined)
        current = {
          offset: current.offset,
          before: Buffer.concat([current.before ?? noBytes, bytes.subarray(from)]),
        }
      return anyData
    },
    end,
  }
}

const noBytes = Buffer.alloc(0)
const zeroBlock = Buffer.alloc(chunker.block)

function isZero(block: Buffer): boolean {
  if (block[0] !== 0) return false
  return zeroBlock.compare(block, 0, block.length, 0, block.length) === 0
}
