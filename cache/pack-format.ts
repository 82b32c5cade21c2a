// Pure. The layout of a pack and of its footer, which is also kept as a file of its own:
//
//   pack    := "IMGPACK1" frame… footer trailer
//   footer  := frameCount u32, chunkCount u32, frames by offset, chunks by sha256      (little-endian)
//   frame   := offset u32, storedLength u32, rawLength u32, codec u8, 3 zero bytes
//   chunk   := sha256[32], frame u32, offset in the decoded frame u32, length u32
//   trailer := footer offset u64, footer length u32, sha256(footer)[32], "IMGPEND1"

import { createHash } from 'node:crypto'

export const packHead: Buffer = Buffer.from('IMGPACK1')
export const packTarget: number = 32 * 1024 * 1024
const packMax: number = 64 * 1024 * 1024
export const frameMax: number = 256 * 1024
export const trailerLength = 52

type Codec = 'raw' | 'zstd'

export interface Frame {
  readonly offset: number
  readonly stored: number
  readonly raw: number
  readonly codec: Codec
}

export interface ChunkPlace {
  readonly frame: number
  readonly at: number
  readonly length: number
}

export interface PackFooter {
  /** Bytes of the whole pack file. */
  readonly packSize: number
  readonly frames: readonly Frame[]
  readonly chunkCount: number
  digestAt(chunk: number): Buffer
  placeOf(chunk: number): ChunkPlace
  /** Whether the chunk's digest is this one, without making a buffer. */
  isAt(chunk: number, digest: Buffer): boolean
}

/** Footer and trailer, as they follow the frames. `chunks` in any order, each digest once. */
export function renderFooter(
  footerOffset: number,
  frames: readonly Frame[],
  chunks: readonly (ChunkPlace & { readonly digest: Buffer })[],
): Buffer {
  const footer = Buffer.alloc(8 + frames.length * frameEntry + chunks.length * chunkEntry)
  footer.writeUInt32LE(frames.length, 0)
  footer.writeUInt32LE(chunks.length, 4)
  let at = 8
  for (const frame of frames) {
    footer.writeUInt32LE(frame.offset, at)
    footer.writeUInt32LE(frame.stored, at + 4)
    footer.writeUInt32LE(frame.raw, at + 8)
    footer.writeUInt8(codecs.indexOf(frame.codec), at + 12)
    at += frameEntry
  }
  for (const chunk of chunks.toSorted((a, b) => a.digest.compare(b.digest))) {
    footer.set(chunk.digest, at)
    footer.writeUInt32LE(chunk.frame, at + 32)
    footer.writeUInt32LE(chunk.at, at + 36)
    footer.writeUInt32LE(chunk.length, at + 40)
    at += chunkEntry
  }
  const trailer = Buffer.alloc(trailerLength)
  trailer.writeBigUInt64LE(BigInt(footerOffset), 0)
  trailer.writeUInt32LE(footer.length, 8)
  trailer.set(createHash('sha256').update(footer).digest(), 12)
  trailer.set(packTail, 44)
  return Buffer.concat([footer, trailer])
}

export interface Trailer {
  readonly footerOffset: number
  readonly footerLength: number
  readonly packSize: number
}

/** From the last bytes of a pack or of a kept footer; undefined when they are not a trailer of an allowed size. */
export function parseTrailer(tail: Buffer): Trailer | undefined {
  if (tail.length !== trailerLength || !tail.subarray(44).equals(packTail)) return undefined
  const footerOffset = Number(tail.readBigUInt64LE(0))
  const footerLength = tail.readUInt32LE(8)
  const packSize = footerOffset + footerLength + trailerLength
  if (footerOffset < packHead.length || footerLength < 8 || packSize > packMax) return undefined
  return { footerOffset, footerLength, packSize }
}

/** Footer plus trailer; undefined unless every byte is as `renderFooter` would have written it. */
export function parseFooter(bytes: Buffer): PackFooter | undefined {
  const trailer = parseTrailer(bytes.subarray(Math.max(0, bytes.length - trailerLength)))
  if (trailer?.footerLength !== bytes.length - trailerLength) return undefined
  const footer = bytes.subarray(0, trailer.footerLength)
  const digest = bytes.subarray(trailer.footerLength + 12, trailer.footerLength + 44)
  if (!createHash('sha256').update(footer).digest().equals(digest)) return undefined
  const [frameCount, chunkCount] = [footer.readUInt32LE(0), footer.readUInt32LE(4)]
  if (footer.length !== 8 + frameCount * frameEntry + chunkCount * chunkEntry) return undefined
  const frames = parseFrames(footer, frameCount, trailer.footerOffset)
  if (frames === undefined) return undefined
  const base = 8 + frameCount * frameEntry
  const parsed: PackFooter = {
    packSize: trailer.packSize,
    frames,
    chunkCount,
    digestAt: (chunk) => footer.subarray(base + chunk * chunkEntry, base + chunk * chunkEntry + 32),
    placeOf(chunk) {
      const at = base + chunk * chunkEntry
      return {
        frame: footer.readUInt32LE(at + 32),
        at: footer.readUInt32LE(at + 36),
        length: footer.readUInt32LE(at + 40),
      }
    },
    isAt(chunk, wanted) {
      const at = base + chunk * chunkEntry
      return wanted.compare(footer, at, at + 32) === 0
    },
  }
  return chunksFit(parsed) ? parsed : undefined
}

const packTail = Buffer.from('IMGPEND1')
const frameEntry = 16
const chunkEntry = 44
const codecs: readonly Codec[] = ['raw', 'zstd']

function parseFrames(footer: Buffer, count: number, end: number): readonly Frame[] | undefined {
  const frames: Frame[] = []
  let expected = packHead.length
  for (let at = 8; at < 8 + count * frameEntry; at += frameEntry) {
    const codec = codecs[footer.readUInt32LE(at + 12)]
    const [offset, stored, raw] = [
      footer.readUInt32LE(at),
      footer.readUInt32LE(at + 4),
      footer.readUInt32LE(at + 8),
    ]
    const fits = codec === 'raw' ? stored === raw : stored < raw
    if (codec === undefined || offset !== expected || stored === 0 || raw > frameMax || !fits)
      return undefined
    frames.push({ offset, stored, raw, codec })
    expected = offset + stored
  }
  return expected === end ? frames : undefined
}

function chunksFit(footer: PackFooter): boolean {
  for (let chunk = 0; chunk < footer.chunkCount; chunk++) {
    const { frame, at, length } = footer.placeOf(chunk)
    const raw = footer.frames[frame]?.raw
    if (raw === undefined || length === 0 || at + length > raw) return false
    if (chunk > 0 && footer.digestAt(chunk - 1).compare(footer.digestAt(chunk)) >= 0) return false
  }
  return true
}
