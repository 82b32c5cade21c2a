// New chunks into packs: neighbours share a frame, frames are compressed side by side and written in order, a pack is
// stored when it is full. Nothing of it is in the store until `keep`; `drop` leaves no trace.

import { webcrypto } from 'node:crypto'
import type { ChunkIndex } from './chunk-index.ts'
import { putContent, removeContent } from './content.ts'
import { keepFooters, listPacks } from './footers.ts'
import { frameMax, packHead, packTarget, renderFooter, type ChunkPlace, type Frame } from './pack-format.ts'
import type { StoreDir } from './store-dir.ts'
import type { Zstd } from './zstd.ts'

export interface PackWriter {
  /** Takes a chunk if the store has not got it; the parts may be reused when this returns. Await what it returns. */
  add(digest: Buffer, parts: readonly Buffer[]): Promise<void> | undefined
  /** Ends the current frame and waits for everything added so far; compressed bytes written until now. */
  flush(): Promise<number>
  /** The packs become part of the store, durably. */
  keep(): Promise<void>
  drop(): Promise<void>
}

export function openPackWriter(at: StoreDir, index: ChunkIndex, zstd: Zstd): PackWriter {
  const fresh = new Set<string>()
  const footers = new Map<string, Buffer>()
  const before = new Set(listPacks(at))
  /** Frame buffers to use again: fresh ones cost more in the garbage collector than in memory. */
  const spare: Buffer[] = []
  let frame = openFrame(spare)
  let pack = openPack()
  let written = 0
  /** Frames being compressed, oldest first; each link waits for the one before, so packs keep the order of adding. */
  let tail: Promise<void> = Promise.resolve()
  const inFlight: Promise<void>[] = []
  let sealing: Promise<void> = Promise.resolve()

  const seal = async (): Promise<void> => {
    const full = pack
    pack = openPack()
    const footer = renderFooter(full.length, full.frames, full.chunks)
    const bytes = Buffer.concat([...full.parts, footer])
    const id = Buffer.from(await webcrypto.subtle.digest('SHA-256', bytes)).toString('hex')
    footers.set(id, footer)
    await putContent(at.dir, `pack:${id}`, { data: bytes, digest: id })
  }

  /** One pack is written while the next is filled. */
  const startSeal = async (): Promise<void> => {
    await sealing
    sealing = seal()
    sealing.catch(() => undefined)
  }

  const append = async (data: StoredFrame): Promise<void> => {
    if (pack.length + data.bytes.length > packTarget && pack.frames.length > 0) await startSeal()
    const { bytes: stored, chunks, raw, codec } = data
    if (codec === 'zstd') spare.push(data.buffer)
    for (const chunk of chunks) pack.chunks.push({ ...chunk, frame: pack.frames.length })
    pack.frames.push({ offset: pack.length, stored: stored.length, raw, codec })
    pack.parts.push(stored)
    pack.length += stored.length
    written += stored.length
  }

  const endFrame = (): Promise<void> | undefined => {
    if (frame.length === 0) return undefined
    const compressing = compressFrame(zstd, frame)
    frame = openFrame(spare)
    const previous = tail
    tail = Promise.all([compressing, previous]).then(([data]) => append(data))
    // Reported by whoever awaits the tail; until then it is not an unhandled rejection.
    tail.catch(() => undefined)
    inFlight.push(tail)
    return inFlight.length > framesInFlight ? inFlight.shift() : undefined
  }

  return {
    add(digest, parts) {
      const name = digest.toString('latin1')
      if (fresh.has(name) || index.find(digest) !== undefined) return undefined
      fresh.add(name)
      const length = parts.reduce((sum, part) => sum + part.length, 0)
      const full = frame.length + length > frameMax ? endFrame() : undefined
      frame.chunks.push({ digest, at: frame.length, length })
      for (const part of parts) {
        part.copy(frame.bytes, frame.length)
        frame.length += part.length
      }
      return full
    },
    async flush() {
      await endFrame()
      await tail
      inFlight.length = 0
      return written
    },
    async keep() {
      await tail
      if (pack.frames.length > 0) await startSeal()
      await sealing
      await keepFooters(at, footers)
      await index.refresh()
    },
    async drop() {
      await Promise.allSettled([tail, sealing])
      // A pack somebody else made meanwhile with the same bytes is theirs.
      const theirs = new Set([...before, ...listPacks(at)])
      for (const id of footers.keys()) if (!theirs.has(id)) await removeContent(at.dir, id)
    },
  }
}

interface OpenFrame {
  readonly bytes: Buffer
  readonly chunks: { readonly digest: Buffer; readonly at: number; readonly length: number }[]
  length: number
}

interface StoredFrame extends Pick<Frame, 'raw' | 'codec'> {
  readonly bytes: Buffer
  /** What the frame was gathered in; part of the pack when it is stored raw. */
  readonly buffer: Buffer
  readonly chunks: OpenFrame['chunks']
}

interface OpenPack {
  readonly parts: Buffer[]
  readonly frames: Frame[]
  readonly chunks: (ChunkPlace & { readonly digest: Buffer })[]
  length: number
}

const framesInFlight = 8

const openFrame = (spare: Buffer[]): OpenFrame => ({
  bytes: spare.pop() ?? Buffer.allocUnsafeSlow(frameMax),
  chunks: [],
  length: 0,
})

const openPack = (): OpenPack => ({ parts: [packHead], frames: [], chunks: [], length: packHead.length })

/** Raw unless it gets at least 3 % smaller. */
async function compressFrame(zstd: Zstd, frame: OpenFrame): Promise<StoredFrame> {
  const raw = frame.bytes.subarray(0, frame.length)
  const { chunks, bytes: buffer } = frame
  const packed = await zstd.compress(raw)
  const pays = packed.length <= raw.length * 0.97
  return { bytes: pays ? packed : raw, raw: raw.length, codec: pays ? 'zstd' : 'raw', chunks, buffer }
}
