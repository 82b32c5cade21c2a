// Pure. The digests of a disk's cells as bytes to keep with its map, so that a child's disk digest needs only the cells
// it changed.

import { cellSize, makeDiskDigest } from './disk-digest.ts'

/** In pieces no longer than a chunk; none for a disk of zeros. */
export function renderCells(cells: ReadonlyMap<number, Uint8Array>, size: number): readonly Buffer[] {
  const bytes = Buffer.alloc(cells.size === 0 ? 0 : Math.ceil(size / cellSize) * digestLength)
  for (const [number, digest] of cells) bytes.set(digest, number * digestLength)
  return Array.from({ length: Math.ceil(bytes.length / pieceLength) }, (_, piece) =>
    bytes.subarray(piece * pieceLength, (piece + 1) * pieceLength),
  )
}

/** Undefined unless they are the cells of exactly this disk. */
export function parseCells(
  pieces: readonly Buffer[],
  disk: { readonly size: number; readonly diskDigest: string },
): ReadonlyMap<number, Uint8Array> | undefined {
  const bytes = Buffer.concat(pieces)
  if (bytes.length !== 0 && bytes.length !== Math.ceil(disk.size / cellSize) * digestLength) return undefined
  const cells = new Map<number, Uint8Array>()
  const digest = makeDiskDigest(disk.size)
  for (let number = 0; number * digestLength < bytes.length; number++) {
    const cell = bytes.subarray(number * digestLength, (number + 1) * digestLength)
    if (cell.equals(zeros)) continue
    cells.set(number, cell)
    digest.set(number, cell)
  }
  return digest.compute() === disk.diskDigest ? cells : undefined
}

const digestLength = 32
const pieceLength = 8192 * digestLength
const zeros = Buffer.alloc(digestLength)
