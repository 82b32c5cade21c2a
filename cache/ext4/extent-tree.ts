// Where an inode's bytes lie: its extents in logical order, unwritten ones left out since they read as zeros.

import type { Inode } from './inode.ts'
import { Ext4Odd } from './odd.ts'

/** In blocks. */
export interface FileExtent {
  readonly logical: number
  readonly physical: number
  readonly length: number
}

export interface BlockReader {
  readonly blockSize: number
  readonly blockCount: number
  readBlock(block: number): Buffer
}

/** Neighbours in both senses are one extent. */
export function readExtents(at: BlockReader, inode: Inode): readonly FileExtent[] {
  const extents: FileExtent[] = []
  readNode(at, inode.block, { inode: inode.number, depth: undefined, extents })
  return extents
}

interface Walk {
  readonly inode: number
  /** What the node above says this one's depth is. */
  readonly depth: number | undefined
  readonly extents: FileExtent[]
}

function readNode(at: BlockReader, node: Buffer, walk: Walk): void {
  const [magic, entries, depth] = [node.readUInt16LE(0), node.readUInt16LE(2), node.readUInt16LE(6)]
  const isWrong = magic !== 0xf30a || entries > node.length / 12 - 1 || depth > 5
  if (isWrong || (walk.depth !== undefined && depth !== walk.depth))
    throw new Ext4Odd(`has a damaged extent tree in inode ${walk.inode}`)
  for (let entry = 12; entry <= entries * 12; entry += 12) {
    if (depth === 0) addExtent(at, node.subarray(entry, entry + 12), walk)
    else {
      const block = node.readUInt32LE(entry + 4) + node.readUInt16LE(entry + 8) * 2 ** 32
      if (block === 0 || block >= at.blockCount)
        throw new Ext4Odd(`has inode ${walk.inode} lead to block ${block}`)
      readNode(at, at.readBlock(block), { ...walk, depth: depth - 1 })
    }
  }
}

function addExtent(at: BlockReader, entry: Buffer, { inode, extents }: Walk): void {
  const [logical, stored] = [entry.readUInt32LE(0), entry.readUInt16LE(4)]
  const physical = entry.readUInt32LE(8) + entry.readUInt16LE(6) * 2 ** 32
  const last = extents.at(-1)
  const length = stored > 32768 ? stored - 32768 : stored
  const isWrong = length === 0 || physical === 0 || physical + length > at.blockCount
  if (isWrong || (last !== undefined && logical < last.logical + last.length))
    throw new Ext4Odd(`has inode ${inode} with ${length} blocks at ${physical}`)
  if (stored > 32768) return
  const isNext = last?.logical === logical - (last?.length ?? 0) && last.physical + last.length === physical
  if (isNext) extents[extents.length - 1] = { ...last, length: last.length + length }
  else extents.push({ logical, physical, length })
}
