// Chunks out of packs. What it hands out has the sha256 it was asked for; a pack that does not hold what its footer
// says is put into quarantine, so that the next lookup finds another copy or a miss, and the next put heals.

import { closeSync, openSync, readSync } from 'node:fs'
import { createHash } from 'node:crypto'
import type { ChunkIndex, ChunkLocation } from './chunk-index.ts'
import { ChunkLost } from './chunk-lost.ts'
import { contentPath } from './entries.ts'
import { examinePack, quarantine } from './examine-pack.ts'
import { frameMax } from './pack-format.ts'
import type { StoreDir } from './store-dir.ts'
import { errnoOf, scarce } from './store-error.ts'
import type { Zstd } from './zstd.ts'

export interface ChunkReader {
  /** The chunk's bytes, verified. The buffer is shared: not to be changed. */
  readonly read: (digest: Buffer) => Promise<Buffer>
  /** Where the chunk is, for whoever verifies what is made of it; throws `ChunkLost`. */
  readonly locate: (digest: Buffer) => ChunkLocation
  close(): void
}

export interface ChunkReaderOptions {
  readonly index: ChunkIndex
  readonly zstd: Zstd
  /** `report`: nothing in the store is changed. */
  readonly onDamage: 'quarantine' | 'report'
}

export function openChunkReader(at: StoreDir, { index, zstd, onDamage }: ChunkReaderOptions): ChunkReader {
  const descriptors = new Map<string, number>()
  const frames = new Map<string, Promise<Buffer>>()
  /** Buffers of compressed frames to use again. */
  const spare: Buffer[] = []

  const openPack = (pack: string): number => {
    const opened = descriptors.get(pack) ?? openSync(contentPath(at.dir, pack), 'r')
    descriptors.set(pack, opened)
    return opened
  }

  const closePack = (pack: string): void => {
    const opened = descriptors.get(pack)
    descriptors.delete(pack)
    for (const name of frames.keys()) if (name.startsWith(pack)) frames.delete(name)
    if (opened !== undefined) closeSync(opened)
  }

  const decode = async ({ pack, frame }: ChunkLocation): Promise<Buffer> => {
    const descriptor = openPack(pack)
    const buffer = (frame.codec === 'zstd' ? spare.pop() : undefined) ?? Buffer.allocUnsafeSlow(frameMax)
    const stored = buffer.subarray(0, frame.stored)
    // Synchronous: a frame is some 100 KiB of a file read in order, and a promise costs more than that.
    const bytesRead = readSync(descriptor, stored, 0, frame.stored, frame.offset)
    if (bytesRead !== frame.stored) throw new Error('the pack is too short')
    if (frame.codec === 'raw') return stored
    const decompressed = await zstd.decompress(stored, frame.raw)
    spare.push(buffer)
    return decompressed
  }

  const decoded = (location: ChunkLocation): Promise<Buffer> => {
    const name = `${location.pack}:${location.frame.offset}`
    const frame = frames.get(name) ?? decode(location)
    frames.delete(name)
    frames.set(name, frame)
    const oldest = frames.keys().next().value
    if (frames.size > framesKept && oldest !== undefined) frames.delete(oldest)
    return frame
  }

  const find = (digest: Buffer, lost: readonly string[] = []): ChunkLocation => {
    const location = index.find(digest)
    if (location !== undefined) return location
    const where =
      lost.length === 0 ? 'is in no pack' : `was in ${lost.map((pack) => `pack ${pack}`).join(', ')}`
    throw new ChunkLost(`chunk ${digest.toString('hex')} ${where}`)
  }

  const readAt = async (location: ChunkLocation, digest: Buffer): Promise<Buffer | undefined> => {
    try {
      const frame = await decoded(location)
      const chunk = frame.subarray(location.at, location.at + location.length)
      return createHash('sha256').update(chunk).digest().equals(digest) ? chunk : undefined
    } catch (cause) {
      const code = errnoOf(cause)
      if (code !== undefined && scarce.has(code)) throw cause
      return undefined
    }
  }

  return {
    locate: (digest) => find(digest),
    async read(digest) {
      const lost: string[] = []
      for (;;) {
        const location = find(digest, lost)
        const chunk = await readAt(location, digest)
        if (chunk !== undefined) return chunk
        closePack(location.pack)
        index.forget(location.pack)
        // Whole as a file and yet wrong a second time: it was packed wrongly.
        const again = lost.includes(location.pack)
        if (!again) lost.push(location.pack)
        if (onDamage === 'report') continue
        if (again) await quarantine(at, location.pack)
        else if (await examinePack(at, location.pack)) await index.refresh()
      }
    },
    close() {
      for (const pack of descriptors.keys()) closePack(pack)
    },
  }
}

/** 32 MiB of decoded frames. */
const framesKept = 128
