// Pure. The superblock and the group descriptors: where inodes are, and what says which blocks are free. See the
// kernel's Documentation/filesystems/ext4.

import { Ext4Odd } from './odd.ts'

export interface Superblock {
  readonly blockSize: number
  readonly blockCount: number
  readonly inodeCount: number
  readonly inodesPerGroup: number
  readonly inodeSize: number
  readonly firstBlock: number
  readonly blocksPerGroup: number
  readonly groupCount: number
  readonly descriptorSize: number
  /** Block of each group descriptor block. */
  readonly descriptorBlocks: readonly number[]
  /** Whether groups say how many of their inodes were never used. */
  readonly countsUnused: boolean
}

/** Undefined: no ext filesystem begins here. Throws `Ext4Odd` for one with features we do not read. */
export function parseSuperblock(bytes: Buffer, size: number): Superblock | undefined {
  if (bytes.readUInt16LE(0x38) !== 0xef53) return undefined
  const features = {
    compatible: bytes.readUInt32LE(0x5c),
    incompatible: bytes.readUInt32LE(0x60),
    readOnly: bytes.readUInt32LE(0x64),
  }
  refuseUnknown(features)
  const logBlock = bytes.readUInt32LE(0x18)
  if (logBlock > 6) throw new Ext4Odd(`has blocks of 2^${10 + logBlock} bytes`)
  const blockSize = 1024 << logBlock
  const is64bit = (features.incompatible & incompatible.is64bit) !== 0
  const blockCount = bytes.readUInt32LE(4) + (is64bit ? bytes.readUInt32LE(0x150) * 2 ** 32 : 0)
  if (blockCount * blockSize > size) throw new Ext4Odd(`is larger than its partition of ${size} bytes`)
  const [inodeCount, inodesPerGroup] = [bytes.readUInt32LE(0), bytes.readUInt32LE(0x28)]
  const [blocksPerGroup, firstBlock] = [bytes.readUInt32LE(0x20), bytes.readUInt32LE(0x14)]
  const inodeSize = bytes.readUInt16LE(0x58)
  const descriptorSize = is64bit ? bytes.readUInt16LE(0xfe) : 32
  const powers = [128, 256, 512, 1024, 2048, 4096]
  if (!powers.includes(inodeSize) || inodeSize > blockSize)
    throw new Ext4Odd(`has inodes of ${inodeSize} bytes`)
  if (descriptorSize < 32 || descriptorSize > 1024 || blockSize % descriptorSize !== 0)
    throw new Ext4Odd(`has group descriptors of ${descriptorSize} bytes`)
  if (blocksPerGroup === 0 || blocksPerGroup > blockSize * 8 || firstBlock > 1)
    throw new Ext4Odd(`has groups of ${blocksPerGroup} blocks from ${firstBlock} on`)
  const groupCount = Math.ceil((blockCount - firstBlock) / blocksPerGroup)
  if (inodesPerGroup === 0 || inodesPerGroup > blockSize * 8 || inodesPerGroup * groupCount !== inodeCount)
    throw new Ext4Odd(`has ${inodeCount} inodes in ${groupCount} groups of ${inodesPerGroup}`)
  const shape = { blockSize, firstBlock, blocksPerGroup, groupCount, descriptorSize }
  return {
    blockSize,
    blockCount,
    inodeCount,
    inodesPerGroup,
    inodeSize,
    firstBlock,
    blocksPerGroup,
    groupCount,
    descriptorSize,
    descriptorBlocks: placeDescriptors(shape, features, bytes.readUInt32LE(0x104)),
    countsUnused: (features.readOnly & (readOnly.gdtCsum | readOnly.metadataCsum)) !== 0,
  }
}

export interface GroupDescriptor {
  /** Undefined where no block but the group's own metadata was ever used. */
  readonly blockBitmap: number | undefined
  readonly inodeTable: number
  /** Inodes at the end of the group's table that were never used. */
  readonly unusedInodes: number
}

export function parseDescriptor(bytes: Buffer, sb: Superblock): GroupDescriptor {
  const number = (low: number, high: number): number =>
    bytes.readUInt32LE(low) + (sb.descriptorSize >= 64 ? bytes.readUInt32LE(high) * 2 ** 32 : 0)
  const [bitmap, inodeTable] = [number(0, 0x20), number(8, 0x28)]
  const unused = bytes.readUInt16LE(0x1c) + (sb.descriptorSize >= 64 ? bytes.readUInt16LE(0x32) * 2 ** 16 : 0)
  const flags = sb.countsUnused ? bytes.readUInt16LE(0x12) : 0
  if (inodeTable >= sb.blockCount) throw new Ext4Odd(`has an inode table at block ${inodeTable}`)
  if (bitmap >= sb.blockCount) throw new Ext4Odd(`has a block bitmap at block ${bitmap}`)
  const blockBitmap = (flags & 2) === 0 ? bitmap : undefined
  if (!sb.countsUnused) return { blockBitmap, inodeTable, unusedInodes: 0 }
  if (unused > sb.inodesPerGroup) throw new Ext4Odd(`has a group with ${unused} unused inodes`)
  return { blockBitmap, inodeTable, unusedInodes: (flags & 1) === 0 ? unused : sb.inodesPerGroup }
}

interface Features {
  readonly compatible: number
  readonly incompatible: number
  readonly readOnly: number
}

const incompatible = { fileType: 0x2, metaBg: 0x10, is64bit: 0x80 } as const
const readOnly = { sparseSuper: 0x1, gdtCsum: 0x10, metadataCsum: 0x400 } as const
const sparseSuper2 = 0x200

/** filetype, meta_bg, extents, 64bit, mmp, flex_bg, csum_seed, largedir, inline_data. */
const readIncompatible = 0x2 | 0x10 | 0x40 | 0x80 | 0x100 | 0x200 | 0x2000 | 0x4000 | 0x8000
/** sparse_super, large_file, huge_file, gdt_csum, dir_nlink, extra_isize, quota, metadata_csum, read-only, project. */
const readReadOnly = 0x1 | 0x2 | 0x8 | 0x10 | 0x20 | 0x40 | 0x100 | 0x400 | 0x1000 | 0x2000

function refuseUnknown(features: Features): void {
  const unread = {
    incompatible: features.incompatible & ~readIncompatible,
    other: features.readOnly & ~readReadOnly,
  }
  if (unread.incompatible !== 0)
    throw new Ext4Odd(`has the incompatible features ${hex(unread.incompatible)}`)
  if (unread.other !== 0) throw new Ext4Odd(`has the features ${hex(unread.other)}`)
  if ((features.incompatible & incompatible.fileType) === 0) throw new Ext4Odd('has no file types in folders')
}

const hex = (bits: number): string => `0x${(bits >>> 0).toString(16)}`

function placeDescriptors(
  shape: Readonly<
    Record<'blockSize' | 'firstBlock' | 'blocksPerGroup' | 'groupCount' | 'descriptorSize', number>
  >,
  features: Features,
  firstMetaGroup: number,
): readonly number[] {
  const perBlock = shape.blockSize / shape.descriptorSize
  const count = Math.ceil(shape.groupCount / perBlock)
  const usesMeta = (features.incompatible & incompatible.metaBg) !== 0
  if (usesMeta && (features.compatible & sparseSuper2) !== 0)
    throw new Ext4Odd('has sparse_super2 with meta_bg')
  const isSparse = (features.readOnly & readOnly.sparseSuper) !== 0
  return Array.from({ length: count }, (_, number) => {
    if (!usesMeta || number < firstMetaGroup) return shape.firstBlock + 1 + number
    const group = number * perBlock
    const hasSuper = !isSparse || holdsSuperblock(group)
    return shape.firstBlock + group * shape.blocksPerGroup + (hasSuper ? 1 : 0)
  })
}

function holdsSuperblock(group: number): boolean {
  if (group <= 1) return true
  return [3, 5, 7].some((base) => {
    let power = base
    while (power < group) power *= base
    return power === group
  })
}
