// Pure. A map says which chunk lies where on a disk; what it does not name is zeros. Chunks are listed by file and place
// in the file, not by place on the disk: a disk built again has most of its files elsewhere, and yet the same lists.
// Where they lie is a list of its own, small and of small numbers.
//
//   leaf   := (length varint, sha256[32])…        cut where a chunk's own digest says so, and a chunk in a pack itself
//   places := (step varint)…        one a chunk: blocks from the end of the chunk before to its beginning, zigzag; for a
//             leaf's first chunk from the disk's beginning. In pieces that are chunks themselves
//   root   := one line of JSON, kept as content under its sha256, which is the map digest

import { chunker } from './cut.ts'

export interface MapEntry {
  readonly offset: number
  readonly length: number
  readonly digest: Buffer
}

export interface MapLeaf {
  /** Chunks it lists. */
  readonly count: number
  readonly digest: Buffer
}

export interface MapRoot {
  readonly size: number
  /** How the file was cut; what was cut otherwise shares nothing with it. */
  readonly chunker: string
  readonly leaves: readonly MapLeaf[]
  /** The pieces of the list of places. */
  readonly places: readonly Buffer[]
  /** Chunks that hold the sha256 of every cell of the disk digest in order, zeros for a cell of zeros. */
  readonly cells: readonly Buffer[]
}

/** Hostile or broken bytes in a map; the message completes "the map …". */
export class MapError extends Error {
  override readonly name = 'MapError'
}

/** Entries in the order of their files. */
export function renderLists(entries: readonly MapEntry[]): {
  readonly leaves: readonly { readonly count: number; readonly bytes: Buffer }[]
  readonly places: readonly Buffer[]
} {
  const leaves: { count: number; bytes: Buffer }[] = []
  const steps: Buffer[] = []
  let parts: Buffer[] = []
  let end = 0
  for (const [index, { offset, length, digest }] of entries.entries()) {
    parts.push(varint(length), digest)
    steps.push(varint(zigzag((offset - end) / chunker.block)))
    end = Math.ceil((offset + length) / chunker.block) * chunker.block
    const isLast = digest[0] === 0 || parts.length === leafMaxEntries * 2 || index === entries.length - 1
    if (!isLast) continue
    leaves.push({ count: parts.length / 2, bytes: Buffer.concat(parts) })
    parts = []
    end = 0
  }
  const bytes = Buffer.concat(steps)
  const pieces = Array.from({ length: Math.ceil(bytes.length / chunker.max) }, (_, piece) =>
    bytes.subarray(piece * chunker.max, (piece + 1) * chunker.max),
  )
  return { leaves, places: pieces }
}

export function renderRoot({ size, leaves, places, cells }: Omit<MapRoot, 'chunker'>): Buffer {
  const root = {
    format: 'img map 2',
    chunker: chunker.id,
    size,
    cells: cells.map((digest) => digest.toString('hex')),
    places: places.map((digest) => digest.toString('hex')),
    leaves: leaves.map(({ count, digest }) => [count, digest.toString('hex')]),
  }
  return Buffer.from(`${JSON.stringify(root)}\n`)
}

export function parseRoot(bytes: Buffer): MapRoot {
  if (bytes.length > rootMaxBytes) throw new MapError(`has a root of ${bytes.length} bytes`)
  const root = parseJson(bytes)
  if (root['format'] !== 'img map 2') throw new MapError(`has the format ${JSON.stringify(root['format'])}`)
  const { size } = root
  if (!isLength(size) || size > sizeMax) throw new MapError(`is of a file of ${String(size)} bytes`)
  const leaves = parseLeaves(root['leaves'])
  const count = leaves.reduce((sum, leaf) => sum + leaf.count, 0)
  if (count > Math.ceil(size / chunker.block)) throw new MapError(`has ${count} chunks in ${size} bytes`)
  const places = parseDigests(root['places'], 'places')
  if (places.length > Math.ceil((count * stepMaxBytes) / chunker.max))
    throw new MapError(`has places in ${places.length} pieces for ${count} chunks`)
  const cells = parseDigests(root['cells'], 'cells')
  return { size, chunker: String(root['chunker']), leaves, places, cells }
}

function parseLeaves(leaves: unknown): readonly MapLeaf[] {
  if (!Array.isArray(leaves)) throw new MapError('has no list of leaves')
  return leaves.map((leaf: unknown) => {
    const [count, digest] = Array.isArray(leaf) ? (leaf as readonly unknown[]) : []
    if (!isLength(count) || count === 0 || count > leafMaxEntries)
      throw new MapError(`has a leaf of ${String(count)} chunks`)
    if (!isDigest(digest)) throw new MapError('has a leaf without digest')
    return { count, digest: Buffer.from(digest, 'hex') }
  })
}

/** One leaf's chunks where they lie, checked: on the grid, inside the disk, no longer than a chunk may be. */
export function parseLeaf(
  bytes: Buffer,
  { steps, size }: { readonly steps: readonly number[]; readonly size: number },
): MapEntry[] {
  if (bytes.length > leafMaxBytes) throw new MapError(`has a leaf of ${bytes.length} bytes`)
  const read = makeReader(bytes, 'a torn leaf')
  let end = 0
  const entries = steps.map((step): MapEntry => {
    const length = read.varint()
    const offset = end + step * chunker.block
    const at = `at ${offset}`
    if (length === 0 || length > chunker.max || offset < 0 || offset + length > size)
      throw new MapError(`has a chunk of ${length} bytes ${at}`)
    if (length % chunker.block !== 0 && offset + length !== size)
      throw new MapError(`has a short chunk ${at}`)
    end = Math.ceil((offset + length) / chunker.block) * chunker.block
    return { offset, length, digest: read.bytes(32) }
  })
  if (!read.atEnd()) throw new MapError(`has a leaf of more than ${steps.length} chunks`)
  return entries
}

/** A step for each chunk of each leaf, in blocks. */
export function parsePlaces(pieces: readonly Buffer[], leaves: readonly MapLeaf[]): readonly number[][] {
  const read = makeReader(Buffer.concat(pieces), 'a torn list of places')
  const places = leaves.map(({ count }) =>
    Array.from({ length: count }, () => {
      const value = read.varint()
      return value % 2 === 0 ? value / 2 : -(value + 1) / 2
    }),
  )
  if (!read.atEnd()) throw new MapError('has more places than chunks')
  return places
}

/** In order of the disk. */
export function sortEntries(entries: readonly MapEntry[]): readonly MapEntry[] {
  const sorted = entries.toSorted((one, other) => one.offset - other.offset)
  for (const [index, { offset, length }] of sorted.entries()) {
    const next = sorted[index + 1]?.offset
    if (next !== undefined && next < offset + length) throw new MapError(`has two chunks at ${next}`)
  }
  return sorted
}

interface Reader {
  varint(): number
  bytes(length: number): Buffer
  atEnd(): boolean
}

/** `what` it is said to be when it ends too early. */
function makeReader(all: Buffer, what: string): Reader {
  let at = 0
  return {
    varint() {
      let [value, scale] = [0, 1]
      for (;;) {
        const byte = all[at++]
        if (byte === undefined || scale > 2 ** 42) throw new MapError(`has ${what}`)
        value += (byte & 0x7f) * scale
        if (byte < 0x80) return value
        scale *= 128
      }
    },
    bytes(length) {
      if (at + length > all.length) throw new MapError(`has ${what}`)
      at += length
      return all.subarray(at - length, at)
    },
    atEnd: () => at === all.length,
  }
}

function parseDigests(list: unknown, of: string): readonly Buffer[] {
  if (!Array.isArray(list) || !list.every(isDigest)) throw new MapError(`has no list of ${of}`)
  return list.map((digest) => Buffer.from(digest, 'hex'))
}

const isDigest = (value: unknown): value is string =>
  typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)

const leafMaxEntries = 1024
const leafMaxBytes = 64 * 1024
const rootMaxBytes = 16 * 1024 * 1024
/** 16 TiB, what ext4 holds; a policy for what comes from elsewhere is tighter. */
const sizeMax = 2 ** 44
/** As a varint: twice the blocks of the largest disk. */
const stepMaxBytes = 5

const zigzag = (value: number): number => (value < 0 ? -2 * value - 1 : 2 * value)

const isLength = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

function parseJson(bytes: Buffer): Readonly<Record<string, unknown>> {
  try {
    const root: unknown = JSON.parse(bytes.toString())
    if (typeof root === 'object' && root !== null && !Array.isArray(root))
      return root as Record<string, unknown>
  } catch {
    throw new MapError('is not JSON')
  }
  throw new MapError('is not an object')
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  while (rest >= 128) {
    bytes.push((rest % 128) | 128)
    rest = Math.floor(rest / 128)
  }
  bytes.push(rest)
  return Buffer.from(bytes)
}
