// A file as .xz of many blocks, as `xz --threads=N --best --block-size=16777216` makes it. Each block's compressed form
// is remembered under what it was made of, so that a second file costs what differs; its bytes are those of a first.

import { createHash } from 'node:crypto'
import { open, type FileHandle } from 'node:fs/promises'
import { availableParallelism, totalmem } from 'node:os'
import { ImgError } from '../tasks/errors.ts'
import { type Extent } from './extents.ts'
import { readCells } from './read-cells.ts'
import type { Store } from './store.ts'
import { checkXzBlock, compressXzBlocks, hashBytes, hashXzBlock } from './xz-blocks.ts'
import { resolveXzVersion } from './xz.ts'
import { renderXzEnd, XzError, xzStreamHeader, type XzBlockSizes } from './xz-container.ts'
import { resolveExtents } from './resolve-extents.ts'

export interface XzOptions {
  /** Where compressed blocks are remembered. */
  readonly memory: Pick<Store, 'readValue' | 'writeValue'>
  readonly signal?: AbortSignal
  /** As `best` unless told. */
  readonly preset?: number
  readonly blockSize?: number
}

/** What the tools of virt-builder are documented with: a reader must unpack at most 16 MiB to get at any byte. */
export const best = { preset: 9, blockSize: 16 * 1024 * 1024 } as const

export interface Compressed {
  /** Of the file, and of the compressed one. */
  readonly size: number
  readonly compressedSize: number
  /** Of the compressed file. */
  readonly sha512: string
  readonly blocks: number
  /** Blocks that had to be compressed; the same bytes more than once in the file count once. */
  readonly compressedBlocks: number
}

/** Writes `to`, which must not exist; it is on disk when this returns. */
export async function compressXz(from: string, to: string, options: XzOptions): Promise<Compressed> {
  const { preset, blockSize } = { ...best, ...options }
  const handle = await open(from, 'r')
  try {
    const { size } = await handle.stat()
    const source = { handle, path: from, size, blockSize, extents: await resolveExtents(from, size) }
    const digests = await digestBlocks(source, options.signal)
    // The room a block's header takes depends on the block size, also in a shorter last block.
    const prefix = `xz:${await resolveXzVersion()}:${preset}:${blockSize}`
    const keyed = { ...options, preset, keyOf: (digest: string) => `${prefix}:${digest}` }
    const missing = await missingBlocks(digests, keyed)
    await compressMissing(source, missing, keyed)
    const written = await stitch(to, { source, digests, ...keyed })
    return { size, ...written, blocks: digests.length, compressedBlocks: missing.size }
  } finally {
    await handle.close()
  }
}

interface Source {
  readonly handle: FileHandle
  readonly path: string
  readonly size: number
  readonly blockSize: number
  readonly extents: readonly Extent[]
}

type Keyed = XzOptions & { readonly preset: number; readonly keyOf: (digest: string) => string }

/** sha256 of every block; what lies in holes is not read. */
async function digestBlocks(source: Source, signal?: AbortSignal): Promise<readonly string[]> {
  const { size, blockSize } = source
  const count = Math.ceil(size / blockSize)
  const digests = Array.from<string | undefined>({ length: count })
  for await (const { number, bytes } of readCells(source, source.extents, blockSize)) {
    refuseAborted(signal)
    digests[number] = await hashBytes(bytes)
  }
  const zeros = new Map<number, string>()
  for (const [number, digest] of digests.entries()) {
    if (digest !== undefined) continue
    const length = lengthOf(number, source)
    if (!zeros.has(length)) zeros.set(length, await hashBytes(Buffer.alloc(length)))
    digests[number] = zeros.get(length)
  }
  return digests as string[]
}

const lengthOf = (number: number, { size, blockSize }: Source): number =>
  Math.min(blockSize, size - number * blockSize)

/** First block of each content that is not remembered, in order, with that content's digest. */
async function missingBlocks(
  digests: readonly string[],
  { memory, keyOf }: Keyed,
): Promise<ReadonlyMap<number, string>> {
  const missing = new Map<number, string>()
  const asked = new Set<string>()
  for (const [number, digest] of digests.entries()) {
    if (asked.has(digest)) continue
    asked.add(digest)
    if ((await readBlock(memory, keyOf(digest))) === undefined) missing.set(number, digest)
  }
  return missing
}

/** What is remembered, when it still is a block. */
async function readBlock(memory: XzOptions['memory'], key: string): Promise<Buffer | undefined> {
  const block = await memory.readValue(key)
  try {
    if (block !== undefined) checkXzBlock(block)
    return block
  } catch (error) {
    if (error instanceof XzError) return undefined
    throw error
  }
}

async function compressMissing(
  source: Source,
  missing: ReadonlyMap<number, string>,
  { preset, memory, keyOf, signal }: Keyed,
): Promise<void> {
  if (missing.size === 0) return
  const numbers = [...missing.keys()]
  const threads = Math.min(missing.size, threadsOf(preset))
  const options = { preset, blockSize: source.blockSize, threads }
  let place = 0
  for await (const block of compressXzBlocks(readBlocks(source, numbers), options)) {
    refuseAborted(signal)
    const number = numbers[place++]!
    const digest = missing.get(number)!
    // Unpacked again before anybody relies on it: what is remembered wrong would be published for years.
    if ((await hashXzBlock(block)) !== digest) throw wrongBlock(number, source.path)
    await memory.writeValue(keyOf(digest), block)
  }
}

/** Holes as zeros; each is overwritten when the one after the next is asked for. */
async function* readBlocks(source: Source, numbers: readonly number[]): AsyncGenerator<Buffer> {
  const wanted = numbers.map((number) => {
    const start = number * source.blockSize
    return { start, end: start + lengthOf(number, source) }
  })
  for await (const { bytes } of readCells(source, wanted, source.blockSize)) yield bytes
}

/** A thread's memory is mostly a table of the last 64 MiB and grows with the preset; half the machine's may be taken. */
function threadsOf(preset: number): number {
  const memory = preset >= 9 ? 700 * 2 ** 20 : 400 * 2 ** 20
  return Math.max(1, Math.min(availableParallelism(), Math.floor(totalmem() / 2 / memory)))
}

async function stitch(
  to: string,
  all: Keyed & { readonly source: Source; readonly digests: readonly string[] },
): Promise<{ readonly compressedSize: number; readonly sha512: string }> {
  const { source, digests, memory, keyOf, signal } = all
  const hash = createHash('sha512')
  const file = await open(to, 'wx')
  let compressedSize = 0
  const write = async (bytes: Buffer): Promise<void> => {
    hash.update(bytes)
    await file.writeFile(bytes)
    compressedSize += bytes.length
  }
  try {
    await write(xzStreamHeader)
    const sizes: XzBlockSizes[] = []
    for (const [number, digest] of digests.entries()) {
      refuseAborted(signal)
      let block = await readBlock(memory, keyOf(digest))
      if (block === undefined) {
        // Forgotten since it was asked for.
        await compressMissing(source, new Map([[number, digest]]), all)
        block = await readBlock(memory, keyOf(digest))
      }
      if (block === undefined) throw new Error(`the cache forgets what it was told: ${keyOf(digest)}`)
      sizes.push(checkXzBlock(block))
      await write(block)
    }
    await write(renderXzEnd(sizes))
    await file.sync()
  } finally {
    await file.close()
  }
  return { compressedSize, sha512: hash.digest('hex') }
}

function wrongBlock(number: number, path: string): ImgError {
  return new ImgError('INPUT_CHANGED', `block ${number} of ${path} unpacks to other bytes than were read`, {
    path,
    hint: 'make sure nothing writes to the file; if nothing does, test the memory of this machine',
  })
}

function refuseAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new ImgError('INTERRUPTED', 'interrupted while compressing')
}
