// An ext4 filesystem, read from the blocks: no mount, no root, no kernel. Everything met is checked before it is
// followed; what is damaged or not known here throws `Ext4Odd`, and nothing else.

import type { BlockSource } from '../block-source.ts'
import { parseAttributes, type Attributes } from './attributes.ts'
import { parseDirectoryBlock, type DirectoryEntry } from './directory.ts'
import { readExtents, type BlockReader, type FileExtent } from './extent-tree.ts'
import { parseInode, type Inode } from './inode.ts'
import { Ext4Odd } from './odd.ts'
import { parseDescriptor, parseSuperblock, type Superblock } from './superblock.ts'

export interface Ext4 {
  readonly blockSize: number
  /** Every inode in use, in order of their numbers. */
  inodes(): Generator<Inode>
  inode(number: number): Inode
  extents(inode: Inode): readonly FileExtent[]
  entries(folder: Inode): readonly DirectoryEntry[]
  attributes(inode: Inode): Attributes
  /** Target of a symbolic link. */
  target(link: Inode): Buffer
  /** A file's bytes in parts, which are valid until the next is asked for. */
  content(file: Inode): Generator<Buffer>
  /** Blocks nothing uses, in order; without those of groups that were never used. */
  freeBlocks(): Generator<BlockRange>
}

export interface BlockRange {
  readonly start: number
  readonly length: number
}

export const rootInode = 2
/** What the filesystem keeps for itself; everything named has a higher number. */
const firstNamed = 11

/** Undefined: no ext filesystem there. */
export function openExt4(source: BlockSource): Ext4 | undefined {
  const head = Buffer.alloc(1024)
  source.read(1024, head)
  const sb = parseSuperblock(head, source.size)
  if (sb === undefined) return undefined
  const reader = makeReader(source, sb)
  const tables = loadTables(reader, sb)

  const attributes = (inode: Inode): Attributes => {
    const { inside, block } = inode.attributes
    if (block >= sb.blockCount) throw new Ext4Odd(`has attributes of inode ${inode.number} at block ${block}`)
    return parseAttributes(inside, block === 0 ? undefined : reader.readBlock(block), inode.number)
  }
  const inlineBytes = (inode: Inode): Buffer => {
    const rest = attributes(inode).inlineData ?? Buffer.alloc(0)
    const bytes = Buffer.concat([inode.block, rest])
    if (inode.kind !== 'folder' && inode.size > bytes.length)
      throw new Ext4Odd(`has a torn inode ${inode.number}`)
    return bytes
  }
  const ext4: Ext4 = {
    blockSize: sb.blockSize,
    *inodes() {
      for (const table of tables) {
        const used = sb.inodesPerGroup - table.unused
        const bytes = Buffer.alloc(used * sb.inodeSize)
        source.read(table.block * sb.blockSize, bytes)
        for (let index = 0; index < used; index++) {
          const number = table.group * sb.inodesPerGroup + index + 1
          if (number !== rootInode && number < firstNamed) continue
          const inode = parseInode(bytes.subarray(index * sb.inodeSize, (index + 1) * sb.inodeSize), number)
          if (inode !== undefined) yield inode
        }
      }
    },
    inode(number) {
      const index = (number - 1) % sb.inodesPerGroup
      const table = tables[Math.floor((number - 1) / sb.inodesPerGroup)]
      if (number < 1 || table === undefined || index >= sb.inodesPerGroup - table.unused)
        throw new Ext4Odd(`has an entry for inode ${number}`)
      const bytes = Buffer.alloc(sb.inodeSize)
      const block = reader.readBlock(table.block + Math.floor((index * sb.inodeSize) / sb.blockSize))
      block.copy(bytes, 0, (index * sb.inodeSize) % sb.blockSize)
      const inode = parseInode(bytes, number)
      if (inode === undefined) throw new Ext4Odd(`has an entry for inode ${number}, which is not in use`)
      return inode
    },
    extents(inode) {
      if (inode.holds === 'extents') return readExtents(reader, inode)
      if (inode.holds === 'other' && inode.size > 0)
        throw new Ext4Odd(`has no extents in inode ${inode.number}`)
      return []
    },
    entries(folder) {
      if (folder.holds === 'inline') {
        const bytes = inlineBytes(folder)
        const blocks = [bytes.subarray(4, 60), bytes.subarray(60)].filter(({ length }) => length > 0)
        return blocks.flatMap((block) => parseDirectoryBlock(block, folder.number))
      }
      return ext4
        .extents(folder)
        .flatMap(({ physical, length }) =>
          Array.from({ length }, (_, at) => reader.readBlock(physical + at)).flatMap((block) =>
            parseDirectoryBlock(block, folder.number),
          ),
        )
    },
    attributes,
    target(link) {
      if (link.size > sb.blockSize) throw new Ext4Odd(`has a link of ${link.size} bytes`)
      if (link.holds === 'other' && link.size <= link.block.length) return link.block.subarray(0, link.size)
      return Buffer.concat(Array.from(ext4.content(link), (part) => Buffer.from(part)))
    },
    *content(file) {
      if (file.holds === 'inline') return yield inlineBytes(file).subarray(0, file.size)
      let done = 0
      for (const { logical, physical, length } of ext4.extents(file)) {
        const start = Math.min(logical * sb.blockSize, file.size)
        yield* zeros(start - done)
        const end = Math.min((logical + length) * sb.blockSize, file.size)
        yield* readRange(source, physical * sb.blockSize, end - start)
        done = Math.max(done, end)
      }
      yield* zeros(file.size - done)
    },
    *freeBlocks() {
      for (const { group, bitmap } of tables) {
        if (bitmap === undefined) continue
        const first = sb.firstBlock + group * sb.blocksPerGroup
        const count = Math.min(sb.blocksPerGroup, sb.blockCount - first)
        yield* clearBits(reader.readBlock(bitmap), first, count)
      }
    },
  }
  return ext4
}

interface Table {
  readonly group: number
  readonly block: number
  readonly unused: number
  readonly bitmap: number | undefined
}

function makeReader(source: BlockSource, sb: Superblock): BlockReader {
  const budget = { left: 2 * sb.blockCount + 4096 }
  return {
    blockSize: sb.blockSize,
    blockCount: sb.blockCount,
    readBlock(number) {
      // Damage can lead in circles that no single check notices.
      if (budget.left-- <= 0) throw new Ext4Odd('leads in circles')
      const into = Buffer.allocUnsafe(sb.blockSize)
      source.read(number * sb.blockSize, into)
      return into
    },
  }
}

function loadTables(reader: BlockReader, sb: Superblock): readonly Table[] {
  const perBlock = sb.blockSize / sb.descriptorSize
  const tables: Table[] = []
  for (const block of sb.descriptorBlocks) {
    if (block >= sb.blockCount) throw new Ext4Odd(`has group descriptors at block ${block}`)
    const bytes = reader.readBlock(block)
    for (let index = 0; index < perBlock && tables.length < sb.groupCount; index++) {
      const descriptor = parseDescriptor(
        bytes.subarray(index * sb.descriptorSize, (index + 1) * sb.descriptorSize),
        sb,
      )
      const { inodeTable: start, unusedInodes: unused, blockBitmap: bitmap } = descriptor
      tables.push({ group: tables.length, block: start, unused, bitmap })
    }
  }
  return tables
}

function* clearBits(bitmap: Buffer, first: number, count: number): Generator<BlockRange> {
  let start = 0
  for (let bit = 0; bit < count; bit++) {
    if ((bitmap[bit >> 3]! & (1 << (bit & 7))) === 0) continue
    if (bit > start) yield { start: first + start, length: bit - start }
    start = bit + 1
  }
  if (count > start) yield { start: first + start, length: count - start }
}

const readSize = 1024 * 1024
const zeroPart = Buffer.alloc(readSize)

function* zeros(length: number): Generator<Buffer> {
  for (let left = length; left > 0; left -= readSize) yield zeroPart.subarray(0, Math.min(left, readSize))
}

function* readRange(source: BlockSource, position: number, length: number): Generator<Buffer> {
  const buffer = Buffer.allocUnsafe(Math.min(length, readSize))
  for (let at = 0; at < length; at += buffer.length) {
    const part = buffer.subarray(0, Math.min(buffer.length, length - at))
    source.read(position + at, part)
    yield part
  }
}
