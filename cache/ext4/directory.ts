// Pure. The entries of one block of a folder. Blocks of its hash index look like entries that are not in use.

import { Ext4Odd } from './odd.ts'

export interface DirectoryEntry {
  readonly inode: number
  readonly name: Buffer
}

/** All but `.` and `..`. */
export function parseDirectoryBlock(block: Buffer, folder: number): readonly DirectoryEntry[] {
  const entries: DirectoryEntry[] = []
  for (let at = 0; at < block.length;) {
    if (at + 8 > block.length) throw new Ext4Odd(`has a torn entry in folder ${folder}`)
    const inode = block.readUInt32LE(at)
    const length = recordLength(block.readUInt16LE(at + 4), block.length)
    const nameLength = block.readUInt8(at + 6)
    const fits = length >= 8 && length % 4 === 0 && at + length <= block.length
    if (!fits || (inode !== 0 && nameLength + 8 > length))
      throw new Ext4Odd(`has a damaged entry in folder ${folder}`)
    if (inode !== 0) {
      const name = block.subarray(at + 8, at + 8 + nameLength)
      if (nameLength === 0 || name.includes(0) || name.includes(slash))
        throw new Ext4Odd(`has an impossible name in folder ${folder}`)
      if (!isDots(name)) entries.push({ inode, name })
    }
    at += length
  }
  return entries
}

const slash = 0x2f
const isDots = (name: Buffer): boolean => name.length <= 2 && name.every((byte) => byte === 0x2e)

/** A record of 64 KiB does not fit into 16 bits. */
function recordLength(stored: number, blockSize: number): number {
  return blockSize === 65536 && (stored === 65535 || stored === 0) ? 65536 : stored
}
