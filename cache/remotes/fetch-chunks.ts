// Chunks out of a remote's packs: which frames, in which pieces, checked one by one.

import type { ChunkIndex } from '../chunk-index.ts'
import { sha256 } from '../entries.ts'
import { type Frame, type PackFooter, parseFooter } from '../pack-format.ts'
import type { PackWriter } from '../pack-writer.ts'
import type { Zstd } from '../zstd.ts'
import { inParallel } from './in-parallel.ts'
import { checkBlob, readBlob } from './read-blob.ts'
import { blobName, type Remote, RemoteError } from './remote.ts'

export interface RemotePacks {
  readonly remote: Remote
  readonly packs: Readonly<Record<string, { readonly size: number; readonly footer: string }>>
  /** Footers fetched so far, and their bytes. */
  readonly footers: Map<string, { readonly footer: PackFooter; readonly bytes: Buffer }>
  bytes: number
  readonly signal: AbortSignal
  readonly onProgress: (bytes: number) => void
}

export interface FetchTo {
  readonly packs: RemotePacks
  readonly index: ChunkIndex
  readonly zstd: Zstd
  readonly writer: PackWriter
  /** Takes a whole pack into the store. */
  readonly keepPack: (id: string, bytes: Buffer, footer: Buffer) => Promise<void>
}

/**
 * Every chunk is in the store, or added to the writer, when it returns. `more`: these are the list of what is wanted
 * next, so a pack that has some of it and is new here comes at once and whole.
 */
export async function fetchChunks(
  digests: Iterable<Buffer>,
  to: FetchTo,
  expects: 'more' | 'nothing more',
): Promise<void> {
  const missing = new Map<string, Buffer>()
  for (const digest of digests) {
    if (to.index.find(digest) === undefined) missing.set(digest.toString('latin1'), digest)
  }
  if (missing.size === 0) return
  await fetchFooters(to.packs)
  const wanted = locate(missing, to.packs)
  const isWhole = ({ id, stored, size }: WantedPack): boolean =>
    size <= wholeSize || Math.max(stored, expects === 'more' ? absent(id, to) : 0) > size * wholeShare
  const whole = wanted.filter(isWhole)
  let keeping: Promise<void> = Promise.resolve()
  await inParallel(whole, packsAtOnce, async ({ id }) => {
    const bytes = await fetchPack(id, to)
    keeping = keeping.then(() => to.keepPack(id, bytes, to.packs.footers.get(id)!.bytes))
    await keeping
  })
  for (const pack of wanted) if (!whole.includes(pack)) await fetchFrames(pack, to)
}

/** Bytes of a pack's frames that hold something the store has not. */
function absent(id: string, { packs, index }: FetchTo): number {
  const { footer } = packs.footers.get(id)!
  const frames = new Set<number>()
  for (let chunk = 0; chunk < footer.chunkCount; chunk++) {
    if (index.find(footer.digestAt(chunk)) === undefined) frames.add(footer.placeOf(chunk).frame)
  }
  return [...frames].reduce((sum, frame) => sum + footer.frames[frame]!.stored, 0)
}

async function fetchFooters(packs: RemotePacks): Promise<void> {
  const { remote, signal, footers } = packs
  const unknown = Object.entries(packs.packs).filter(([id]) => !footers.has(id))
  await inParallel(unknown, requestsAtOnce, async ([id, { size, footer: digest }]) => {
    const bytes = await readBlob(remote, digest, { signal, limit: footerMax })
    const footer = parseFooter(bytes)
    if (footer?.packSize !== size)
      throw new RemoteError('answer', `${remote.name} has a footer of pack ${id} that does not fit it`)
    footers.set(id, { footer, bytes })
    count(packs, bytes.length)
  })
}

interface WantedPack {
  readonly id: string
  readonly size: number
  readonly frames: Map<Frame, WantedChunk[]>
  /** Bytes of the frames. */
  stored: number
}

interface WantedChunk {
  readonly digest: Buffer
  readonly at: number
  readonly length: number
}

/** Where each missing chunk is; of several packs that have it, one that is needed anyway. */
function locate(
  missing: ReadonlyMap<string, Buffer>,
  { footers, remote }: RemotePacks,
): readonly WantedPack[] {
  const left = new Set(missing.keys())
  const wanted: WantedPack[] = []
  for (const [id, { footer }] of footers) {
    const pack: WantedPack = { id, size: footer.packSize, frames: new Map(), stored: 0 }
    for (let chunk = 0; chunk < footer.chunkCount; chunk++) {
      const digest = footer.digestAt(chunk)
      if (!left.delete(digest.toString('latin1'))) continue
      const { frame: place, at, length } = footer.placeOf(chunk)
      const frame = footer.frames[place]!
      const chunks = pack.frames.get(frame)
      if (chunks === undefined) {
        pack.frames.set(frame, [{ digest, at, length }])
        pack.stored += frame.stored
      } else chunks.push({ digest, at, length })
    }
    if (pack.frames.size > 0) wanted.push(pack)
  }
  const [lost] = left
  if (lost === undefined) return wanted
  const hex = Buffer.from(lost, 'latin1').toString('hex')
  throw new RemoteError('answer', `${remote.name} has a record whose packs lack the chunk ${hex}`)
}

async function fetchPack(id: string, { packs }: FetchTo): Promise<Buffer> {
  const { remote, signal } = packs
  const bytes = await readPart(packs, id, { start: 0, end: packs.packs[id]!.size })
  signal.throwIfAborted()
  checkBlob(remote, id, bytes)
  return bytes
}

async function fetchFrames(pack: WantedPack, { packs, zstd, writer }: FetchTo): Promise<void> {
  const frames = [...pack.frames.keys()].toSorted((a, b) => a.offset - b.offset)
  await inParallel(joined(frames), requestsAtOnce, async ({ start, end, frames: own }) => {
    const part = await readPart(packs, pack.id, { start, end })
    for (const frame of own) {
      const stored = part.subarray(frame.offset - start, frame.offset - start + frame.stored)
      const raw = await decode(frame, stored, { packs, zstd, id: pack.id })
      for (const { digest, at, length } of pack.frames.get(frame)!) {
        const chunk = raw.subarray(at, at + length)
        if (sha256(chunk) !== digest.toString('hex')) throw wrongPack(packs, pack.id)
        await writer.add(digest, [chunk])
      }
    }
  })
}

async function decode(
  frame: Frame,
  stored: Buffer,
  { packs, zstd, id }: { readonly packs: RemotePacks; readonly zstd: Zstd; readonly id: string },
): Promise<Buffer> {
  if (frame.codec === 'raw') return stored
  try {
    // Into a buffer of the length the footer says, which is at most a frame's.
    return await zstd.decompress(stored, frame.raw)
  } catch {
    throw wrongPack(packs, id)
  }
}

async function readPart(
  packs: RemotePacks,
  id: string,
  range: { readonly start: number; readonly end: number },
): Promise<Buffer> {
  const { remote, signal } = packs
  const length = range.end - range.start
  const part = await remote.read(blobName(id), { signal, limit: length, range })
  if (part === undefined) throw new RemoteError('answer', `${remote.name} lacks the blob ${id}`)
  if (part.length !== length) throw wrongPack(packs, id)
  count(packs, length)
  return part
}

/** Frames with little between them are one request. */
function joined(frames: readonly Frame[]): readonly { start: number; end: number; frames: Frame[] }[] {
  const parts: { start: number; end: number; frames: Frame[] }[] = []
  for (const frame of frames) {
    const last = parts.at(-1)
    const end = frame.offset + frame.stored
    if (last !== undefined && frame.offset - last.end < gapMax && end - last.start <= pieceMax) {
      last.end = end
      last.frames.push(frame)
    } else parts.push({ start: frame.offset, end, frames: [frame] })
  }
  return parts
}

function count(packs: RemotePacks, bytes: number): void {
  packs.bytes += bytes
  packs.onProgress(packs.bytes)
}

const wrongPack = ({ remote }: RemotePacks, id: string): RemoteError =>
  new RemoteError('answer', `${remote.name} gives other bytes as blob ${id}`)

/** Of a pack: from here on it is cheaper to have it whole; a small one is not worth two questions. */
const wholeShare = 0.6
const wholeSize = 4 * 1024 * 1024
/** What the answer to one more question would cost. */
const gapMax = 512 * 1024
const pieceMax = 32 * 1024 * 1024
const packsAtOnce = 4
const requestsAtOnce = 8
const footerMax = 16 * 1024 * 1024
