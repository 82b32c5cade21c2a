// Pure. Extended attributes, as `getxattr` gives them.

import { Ext4Odd } from './odd.ts'

/** Value by full name, both as latin1 text. `inlineData` is no attribute to anybody outside. */
export interface Attributes {
  readonly named: Readonly<Record<string, string>>
  readonly inlineData: Buffer | undefined
}

/** `inside`: what follows the inode's own fields; `block`: the block the inode names, if it names one. */
export function parseAttributes(inside: Buffer, block: Buffer | undefined, inode: number): Attributes {
  const found: Found[] = []
  if (inside.length >= 8 && inside.readUInt32LE(0) === magic) {
    const entries = inside.subarray(4)
    found.push(...readEntries({ entries, values: entries, inode }))
  }
  if (block !== undefined) {
    if (block.readUInt32LE(0) !== magic)
      throw new Ext4Odd(`has a damaged block of attributes of inode ${inode}`)
    found.push(...readEntries({ entries: block.subarray(32), values: block, inode }))
  }
  const named: Record<string, string> = {}
  let inlineData: Buffer | undefined
  for (const { prefix, name, value } of found) {
    if (prefix === 'system.' && name === 'data') inlineData = value
    else if (isAcl(prefix)) named[prefix] = expandAcl(value, inode).toString('latin1')
    else named[`${prefix}${name}`] = value.toString('latin1')
  }
  return { named, inlineData }
}

const magic = 0xea020000
const prefixes: Readonly<Record<number, string>> = {
  1: 'user.',
  2: 'system.posix_acl_access',
  3: 'system.posix_acl_default',
  4: 'trusted.',
  6: 'security.',
  7: 'system.',
}
const isAcl = (prefix: string): boolean => prefix.startsWith('system.posix_acl')

interface Found {
  readonly prefix: string
  readonly name: string
  readonly value: Buffer
}

/** Values count from the start of `values`; entries end with four zero bytes or the end. */
function* readEntries(from: { entries: Buffer; values: Buffer; inode: number }): Generator<Found> {
  const { entries, values, inode } = from
  for (let at = 0; at + 16 <= entries.length && entries.readUInt32LE(at) !== 0;) {
    const nameLength = entries.readUInt8(at)
    const prefix = prefixes[entries.readUInt8(at + 1)]
    const start = entries.readUInt16LE(at + 2)
    const size = entries.readUInt32LE(at + 8)
    const isWrong = at + 16 + nameLength > entries.length || (size > 0 && start + size > values.length)
    if (isWrong || prefix === undefined || entries.readUInt32LE(at + 4) !== 0)
      throw new Ext4Odd(`has an attribute of inode ${inode} that cannot be read`)
    const name = entries.toString('latin1', at + 16, at + 16 + nameLength)
    yield { prefix, name, value: values.subarray(start, start + size) }
    at += (16 + nameLength + 3) & ~3
  }
}

/** On disk an entry without an id has none; everywhere else each has one. */
function expandAcl(value: Buffer, inode: number): Buffer {
  const parts: Buffer[] = [Buffer.from([2, 0, 0, 0])]
  if (value.length < 4 || value.readUInt32LE(0) !== 1)
    throw new Ext4Odd(`has an access list of inode ${inode}`)
  for (let at = 4; at < value.length;) {
    if (at + 4 > value.length) throw new Ext4Odd(`has a torn access list of inode ${inode}`)
    const tag = value.readUInt16LE(at)
    const named = tag === 2 || tag === 8
    if (named && at + 8 > value.length) throw new Ext4Odd(`has a torn access list of inode ${inode}`)
    const entry = Buffer.alloc(8, 0xff)
    value.copy(entry, 0, at, at + (named ? 8 : 4))
    parts.push(entry)
    at += named ? 8 : 4
  }
  return Buffer.concat(parts)
}
