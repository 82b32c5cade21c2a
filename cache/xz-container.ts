// Pure: what stands around and between the blocks of an .xz file (xz-file-format 1.0.4), with CRC64 as check.

import { crc32 } from 'node:zlib'

export interface XzBlockSizes {
  /** Of the block in the file: header, data, padding and check. */
  readonly total: number
  /** `total` without the padding: what the index lists. */
  readonly unpadded: number
  /** Of what it decompresses to. */
  readonly uncompressed: number
}

export class XzError extends Error {
  override readonly name = 'XzError'
}

export const xzStreamHeader: Buffer = Buffer.concat([
  Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]),
  withCrcBehind(streamFlags()),
])

/** Sizes out of a block's header, of which at least the first byte's count must be there; all of it is checked. */
export function parseXzBlockHeader(bytes: Buffer): XzBlockSizes {
  const size = xzBlockHeaderSize(bytes)
  const header = bytes.subarray(0, size)
  if (header.length < size || crc32(header.subarray(0, -4)) !== header.readUInt32LE(size - 4))
    throw new XzError('a block header is damaged')
  if ((header[1]! & 0xc0) !== 0xc0) throw new XzError('a block header does not say the sizes of its block')
  const compressed = parseNumber(header, 2)
  const uncompressed = parseNumber(header, compressed.end)
  const unpadded = size + compressed.value + checkSize
  return { unpadded, total: Math.ceil(unpadded / 4) * 4, uncompressed: uncompressed.value }
}

/** Bytes of the header, from its first byte. */
export function xzBlockHeaderSize(bytes: Buffer): number {
  const first = bytes[0] ?? 0
  if (first === 0) throw new XzError('there is no block')
  return (first + 1) * 4
}

/** Index and footer: what follows the last block. */
export function renderXzEnd(blocks: readonly XzBlockSizes[]): Buffer {
  const numbers = [blocks.length, ...blocks.flatMap(({ unpadded, uncompressed }) => [unpadded, uncompressed])]
  const records = Buffer.concat([Buffer.of(0), ...numbers.map(renderNumber)])
  const index = withCrcBehind(Buffer.concat([records, Buffer.alloc(-records.length & 3)]))
  const backward = Buffer.alloc(4)
  backward.writeUInt32LE(index.length / 4 - 1)
  const footer = Buffer.concat([backward, streamFlags()])
  return Buffer.concat([index, crcOf(footer), footer, Buffer.from('YZ')])
}

const checkSize = 8

function streamFlags(): Buffer {
  const crc64 = 4
  return Buffer.of(0, crc64)
}

function withCrcBehind(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, crcOf(bytes)])
}

function crcOf(bytes: Buffer): Buffer {
  const crc = Buffer.alloc(4)
  crc.writeUInt32LE(crc32(bytes))
  return crc
}

/** Seven bits a byte, the lowest first; no bit operations, since those end at 32 bits. */
function renderNumber(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
  return Buffer.from([...bytes, rest])
}

function parseNumber(bytes: Buffer, start: number): { readonly value: number; readonly end: number } {
  let value = 0
  for (let at = start, place = 1; at < bytes.length && place < 2 ** 50; at++, place *= 128) {
    value += (bytes[at]! & 127) * place
    if (bytes[at]! < 128) return { value, end: at + 1 }
  }
  throw new XzError('a block header has a number without end')
}
