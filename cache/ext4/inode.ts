// Pure. One inode.

import { Ext4Odd } from './odd.ts'

export interface Inode {
  readonly number: number
  readonly kind: InodeKind
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly links: number
  readonly size: number
  /** Whole seconds since 1970. */
  readonly mtime: number
  /** A random number by which NFS knows a number used again. The checksums of the inode's own blocks begin with it. */
  readonly generation: number
  readonly holds: 'extents' | 'inline' | 'other'
  /** The 60 bytes of block pointers, which are often something else. */
  readonly block: Buffer
  /** Where attributes may be: behind the inode's own fields, and in a block of their own. */
  readonly attributes: { readonly inside: Buffer; readonly block: number }
}

export type InodeKind = 'file' | 'folder' | 'link' | 'character' | 'block' | 'fifo' | 'socket'

/** Undefined for an inode that is not in use. */
export function parseInode(bytes: Buffer, number: number): Inode | undefined {
  const mode = bytes.readUInt16LE(0)
  const links = bytes.readUInt16LE(0x1a)
  if (links === 0 || mode === 0) return undefined
  const kind = kinds[mode >> 12]
  if (kind === undefined) throw new Ext4Odd(`has inode ${number} of the mode 0${mode.toString(8)}`)
  const flags = bytes.readUInt32LE(0x20)
  if ((flags & unreadFlags) !== 0)
    throw new Ext4Odd(`has inode ${number} with the flags 0x${flags.toString(16)}`)
  const size = bytes.readUInt32LE(4) + bytes.readUInt32LE(0x6c) * 2 ** 32
  if (size > 2 ** 44) throw new Ext4Odd(`has inode ${number} of ${size} bytes`)
  // 128 bytes are the whole of an old inode.
  const extra = bytes.length > 128 ? bytes.readUInt16LE(0x80) : 0
  if (128 + extra > bytes.length) throw new Ext4Odd(`has inode ${number} with ${extra} extra bytes`)
  const epochs = extra >= 12 ? bytes.readUInt32LE(0x88) & 3 : 0
  return {
    number,
    kind,
    mode: mode & 0o7777,
    uid: bytes.readUInt16LE(2) + bytes.readUInt16LE(0x78) * 2 ** 16,
    gid: bytes.readUInt16LE(0x18) + bytes.readUInt16LE(0x7a) * 2 ** 16,
    links,
    size,
    mtime: bytes.readInt32LE(0x10) + epochs * 2 ** 32,
    generation: bytes.readUInt32LE(0x64),
    holds: (flags & 0x80000) !== 0 ? 'extents' : (flags & 0x10000000) !== 0 ? 'inline' : 'other',
    block: bytes.subarray(0x28, 0x28 + 60),
    attributes: {
      inside: bytes.length > 128 ? bytes.subarray(128 + extra) : bytes.subarray(128),
      block: bytes.readUInt32LE(0x68) + bytes.readUInt16LE(0x76) * 2 ** 32,
    },
  }
}

/** Major and minor of a device inode. */
export function deviceOf(inode: Inode): readonly [major: number, minor: number] {
  const old = inode.block.readUInt32LE(0)
  if (old !== 0) return [(old >> 8) & 0xff, old & 0xff]
  const device = inode.block.readUInt32LE(4)
  return [(device & 0xfff00) >> 8, (device & 0xff) | ((device >>> 12) & 0xfff00)]
}

const kinds: Readonly<Record<number, InodeKind>> = {
  1: 'fifo',
  2: 'character',
  4: 'folder',
  6: 'block',
  8: 'file',
  10: 'link',
  12: 'socket',
}

/** Compressed, encrypted, verity, value of an attribute, casefolded. */
const unreadFlags = 0x4 | 0x800 | 0x100000 | 0x200000 | 0x40000000
