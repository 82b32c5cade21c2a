// Where files lie on a disk, so that chunks begin where files do: the same file is then the same chunks on every disk,
// wherever its blocks went. Only a hint: without it, or with a wrong one, the bytes stored are the same.

import { partOf, type BlockSource } from './block-source.ts'
import { chunker } from './cut.ts'
import { Ext4Odd } from './ext4/odd.ts'
import { openExt4, type Ext4 } from './ext4/open-ext4.ts'
import { readPartitions, type PartitionRange } from './partition-table.ts'

/** Part of a file that lies in one piece, aligned to blocks. */
export interface FilePiece {
  readonly start: number
  readonly end: number
  /** Where in the file it begins. */
  readonly logical: number
  /** Its place among all pieces by inode and place in the file, which are the same wherever the blocks went. */
  readonly rank: number
}

/** In order of `start`, none overlapping. Empty for what is no disk with ext4 on it. */
export function readFilePieces(disk: BlockSource): readonly FilePiece[] {
  const pieces = readPartitions(disk).flatMap((range) => piecesOf(disk, range))
  const sorted = pieces
    .map((piece, rank) => ({ ...piece, rank }))
    .toSorted((one, other) => one.start - other.start)
  // Two files in one place are damage; which of them is believed does not matter.
  let end = 0
  return sorted.filter((piece) => {
    const follows = piece.start >= end
    if (follows) end = piece.end
    return follows
  })
}

/** Both in order of the disk; what is in no file comes last. */
export function orderByFile<T extends { readonly offset: number }>(
  chunks: readonly T[],
  pieces: readonly FilePiece[],
): readonly T[] {
  let next = 0
  const ranked = chunks.map((chunk) => {
    while (next < pieces.length && pieces[next]!.end <= chunk.offset) next++
    const piece = pieces[next]
    return { chunk, rank: piece !== undefined && piece.start <= chunk.offset ? piece.rank : Infinity }
  })
  // Stable: within a piece, and outside of files, the order stays.
  return ranked
    .toSorted((one, other) => (one.rank === other.rank ? 0 : one.rank - other.rank))
    .map(({ chunk }) => chunk)
}

export interface CutHints {
  /** Whether a chunk must begin at `offset`, and whether a file has the block there. Offsets only grow. */
  at(offset: number): { readonly begins: boolean; readonly inFile: boolean }
}

export function makeCutHints(pieces: readonly Unranked[]): CutHints {
  let next = 0
  return {
    at(offset) {
      let ended = false
      while (next < pieces.length && pieces[next]!.end <= offset) {
        ended ||= pieces[next]!.end === offset
        next++
      }
      const piece = pieces[next]
      if (piece === undefined || offset < piece.start) return { begins: ended, inFile: false }
      const inFile = piece.logical + offset - piece.start
      return { begins: offset === piece.start || inFile % chunker.max === 0, inFile: true }
    },
  }
}

type Unranked = Omit<FilePiece, 'rank'>

function piecesOf(disk: BlockSource, range: PartitionRange): readonly Unranked[] {
  if (range.start % chunker.block !== 0) return []
  try {
    const ext4 = openExt4(partOf(disk, range))
    if (ext4 === undefined || ext4.blockSize % chunker.block !== 0) return []
    return [...filePieces(ext4, range.start)]
  } catch (cause) {
    if (cause instanceof Ext4Odd) return []
    throw cause
  }
}

function* filePieces(ext4: Ext4, base: number): Generator<Unranked> {
  const { blockSize } = ext4
  for (const inode of ext4.inodes()) {
    if (inode.kind !== 'file') continue
    for (const { logical, physical, length } of ext4.extents(inode)) {
      const start = base + physical * blockSize
      yield { start, end: start + length * blockSize, logical: logical * blockSize }
    }
  }
}
