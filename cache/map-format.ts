// Pure. A map lists a file's chunks in order; what it does not list is zeros. It is a list of leaves, each a chunk in
// a pack, cut where a chunk's own digest says so: a child that changed little shares most leaves with its parent.
//
//   leaf := (gap varint, length varint, sha256[32])…        gap: bytes since the end of the chunk before
//   root := one line of JSON, kept as content under its sha256, which is the map digest

import { chunker } from './cut.ts'

export interface MapEntry {
  readonly offset: number
  readonly length: number
  readonly digest: Buffer
}

export interface MapLeaf {
  /** Where the leaf's first gap counts from: the end of the leaf before. */
  readonly start: number
  readonly digest: Buffer
}

export interface MapRoot {
  readonly size: number
  /** How the file was cut; what was cut otherwise shares nothing with it. */
  readonly chunker: string
  readonly leaves: readonly MapLeaf[]
  /** Chunks that hold the sha256 of every cell of the disk digest in order, zeros for a cell of zeros. */
  readonly cells: readonly Buffer[]
}

/** Hostile or broken bytes in a map; the message completes "the map …". */
export class MapError extends Error {
  override readonly name = 'MapError'
}

export function renderLeaves(entries: readonly MapEntry[]): readonly { start: number; bytes: Buffer }[] {
  const leaves: { start: number; bytes: Buffer }[] = []
  let parts: Buffer[] = []
  let [start, end] = [0, 0]
  for (const [index, entry] of entries.entries()) {
    parts.push(varint(entry.offset - end), varint(entry.length), entry.digest)
    end = entry.offset + entry.length
    const cut = entry.digest[0] === 0 || parts.length === leafMaxEntries * 3
    if (!cut && index < entries.length - 1) continue
    leaves.push({ start, bytes: Buffer.concat(parts) })
    parts = []
    start = end
  }
  return leaves
}

export function renderRoot({ size, leaves, cells }: Omit<MapRoot, 'chunker'>): Buffer {
  const root = {
    format: 'img map 1',
    chunker: chunker.id,
    size,
    cells: cells.map((digest) => digest.toString('hex')),
    leaves: leaves.map(({ start, digest }) => [start, digest.toString('hex')]),
  }
  return Buffer.from(`${JSON.stringify(root)}\n`)
}

export function parseRoot(bytes: Buffer): MapRoot {
  if (bytes.length > rootMaxBytes) throw new MapError(`has a root of ${bytes.length} bytes`)
  const root = parseJson(bytes)
  if (root['format'] !== 'img map 1') throw new MapError(`has the format ${JSON.stringify(root['format'])}`)
  const { size, leaves } = root
  if (!isLength(size) || size > sizeMax) throw new MapError(`is of a file of ${String(size)} bytes`)
  if (!Array.isArray(leaves)) throw new MapError('has no list of leaves')
  let before = -1
  return {
    size,
    chunker: String(root['chunker']),
    cells: parseCellChunks(root['cells']),
    leaves: leaves.map((leaf: unknown) => {
      const [start, digest] = Array.isArray(leaf) ? (leaf as readonly unknown[]) : []
      if (!isLength(start) || start <= before || start >= size) throw new MapError('has leaves out of order')
      if (typeof digest !== 'string' || !/^[0-9a-f]{64}$/.test(digest))
        throw new MapError('has a leaf without digest')
      before = start
      return { start, digest: Buffer.from(digest, 'hex') }
    }),
  }
}

/** Entries of one leaf, checked: within the leaf's range, in order, aligned, no longer than a chunk may be. */
export function parseLeaf(bytes: Buffer, start: number, limits: { end: number; size: number }): MapEntry[] {
  if (bytes.length > leafMaxBytes) throw new MapError(`has a leaf of ${bytes.length} bytes`)
  const entries: MapEntry[] = []
  let [at, end] = [0, start]
  const next = (): number => {
    let [value, scale] = [0, 1]
    for (;;) {
      const byte = bytes[at++]
      if (byte === undefined || scale > 2 ** 49) throw new MapError('has a torn leaf')
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
      scale *= 128
    }
  }
  while (at < bytes.length) {
    const offset = end + next()
    const length = next()
    end = offset + length
    if (offset % chunker.block !== 0 || length === 0 || length > chunker.max || end > limits.end) {
      throw new MapError(`has a chunk of ${length} bytes at ${offset}`)
    }
    if (length % chunker.block !== 0 && end !== limits.size)
      throw new MapError(`has a short chunk at ${offset}`)
    if (at + 32 > bytes.length) throw new MapError('has a torn leaf')
    entries.push({ offset, length, digest: bytes.subarray(at, at + 32) })
    at += 32
  }
  if (entries.length === 0) throw new MapError('has an empty leaf')
  return entries
}

/** Maps from before they were kept have none. */
function parseCellChunks(cells: unknown): readonly Buffer[] {
  const list: unknown = cells ?? []
  const isList =
    Array.isArray(list) && list.every((digest) => typeof digest === 'string' && /^[0-9a-f]{64}$/.test(digest))
  if (!isList) throw new MapError('has no list of cells')
  return (list as readonly string[]).map((digest) => Buffer.from(digest, 'hex'))
}

const leafMaxEntries = 1024
const leafMaxBytes = 64 * 1024
const rootMaxBytes = 16 * 1024 * 1024
/** 16 TiB, what ext4 holds; a policy for what comes from elsewhere is tighter. */
const sizeMax = 2 ** 44

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
