// Files into the store. Packs reach the disk first, then their footers, then maps; whoever sees a map has all of it.

import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { ImgError } from '../tasks/errors.ts'
import { openRawSource } from './block-source.ts'
import { renderCells } from './cell-list.ts'
import { chunkFile, type ChunkedFile, type TakeChunk } from './chunk-file.ts'
import type { ChunkIndex } from './chunk-index.ts'
import { putContent } from './content.ts'
import { orderByFile, readFilePieces, type FilePiece } from './cut-hints.ts'
import { openDiskChain, type DiskChain, toCellFile } from './disk-chain.ts'
import type { Disks } from './disks.ts'
import { type Extent, subtractExtents } from './extents.ts'
import { sameStamp, stampOf, type FileStamp } from './file-stamp.ts'
import { inheritMap } from './inherit-map.ts'
import { renderLists, renderRoot, type MapEntry, type MapLeaf } from './map-format.ts'
import { openPackWriter, type PackWriter } from './pack-writer.ts'
import { Qcow2Odd } from './qcow2.ts'
import type { StoreDir } from './store-dir.ts'
import type { Artifact, ArtifactFile } from './store.ts'
import type { Zstd } from './zstd.ts'
import { resolveChainExtents, resolveExtents } from './resolve-extents.ts'

export interface PutResult {
  readonly artifact: Artifact
  /** What each file was when its bytes were read. */
  readonly stamps: Readonly<Record<string, FileStamp>>
}

/** A qcow2 file on the materialised disk of its parent. */
export interface Overlay {
  readonly overlay: string
  /** What the overlay's own clusters are a change of: its map and its cells are taken over. */
  readonly parent: ArtifactFile
}

/** A file as it is, or an overlay with the files below it, nearest first. */
export type PutInput = string | (Overlay & { readonly below: readonly string[] })

/** An overlay is read together with what it is on, which is found by disk digest and nothing else. */
export async function toPutInputs(
  disks: Pick<Disks, 'chain'>,
  files: Readonly<Record<string, string | Overlay>>,
): Promise<Readonly<Record<string, PutInput>>> {
  const inputs: Record<string, PutInput> = {}
  for (const [name, file] of Object.entries(files)) {
    if (typeof file === 'string') inputs[name] = file
    else {
      const below = await disks.chain(file.parent.diskDigest)
      if (below === undefined)
        throw new Error(`the disk ${file.parent.diskDigest} below ${file.overlay} is gone`)
      inputs[name] = { ...file, below }
    }
  }
  return inputs
}

export interface PutInto {
  readonly index: ChunkIndex
  readonly zstd: Zstd
}

export async function putFiles(
  at: StoreDir,
  to: PutInto,
  files: Readonly<Record<string, PutInput>>,
): Promise<PutResult> {
  await to.index.refresh()
  const writer = openPackWriter(at, to.index, to.zstd)
  try {
    const chunked: [string, MappedFile][] = []
    for (const [name, input] of Object.entries(files))
      chunked.push([name, await putFile(writer, { ...to, at }, { name, input })])
    await writer.keep()
    const artifact: Record<string, ArtifactFile> = {}
    for (const [name, file] of chunked) artifact[name] = await putMap(at, to.index, file)
    return { artifact, stamps: Object.fromEntries(chunked.map(([name, { stamp }]) => [name, stamp])) }
  } catch (cause) {
    await writer.drop()
    throw cause
  }
}

interface MappedFile extends ChunkedFile {
  readonly size: number
  readonly leaves: readonly MapLeaf[]
  readonly places: readonly Buffer[]
  readonly cellChunks: readonly Buffer[]
  readonly addedBytes: number
  readonly stamp: FileStamp
}

async function putFile(
  writer: PackWriter,
  to: PutInto & { readonly at: StoreDir },
  { name, input }: { readonly name: string; readonly input: PutInput },
): Promise<MappedFile> {
  const path = typeof input === 'string' ? input : input.overlay
  const before = await stampOf(path).catch((cause: Error) => {
    throw new ImgError('INPUT_MISSING', `cannot read ${path} to store it as ${name}: ${cause.message}`, {
      path,
      hint: 'the layer did not leave this file behind; see its log',
      cause,
    })
  })
  const start = await writer.flush()
  const take: TakeChunk = (digest, parts) => writer.add(digest, parts)
  const { size, ...chunked } = await (typeof input === 'string'
    ? chunkPlain(input, Number(before.size), take)
    : chunkOverlay(input, { at: to.at, to, take }))
  const addChunk = async (bytes: Buffer): Promise<Buffer> => {
    const digest = createHash('sha256').update(bytes).digest()
    await writer.add(digest, [bytes])
    return digest
  }
  const lists = renderLists(orderByFile(chunked.entries, chunked.pieces))
  const leaves: MapLeaf[] = []
  for (const { count, bytes } of lists.leaves) leaves.push({ count, digest: await addChunk(bytes) })
  const places: Buffer[] = []
  for (const piece of lists.places) places.push(await addChunk(piece))
  const cellChunks: Buffer[] = []
  for (const piece of renderCells(chunked.cells, size)) cellChunks.push(await addChunk(piece))
  const addedBytes = (await writer.flush()) - start
  if (!sameStamp(before, await stampOf(path))) {
    throw new ImgError('INPUT_CHANGED', `${path} changed while ${name} was being stored`, {
      path,
      hint: 'make sure nothing writes to it, then run the command again',
    })
  }
  return { ...chunked, size, leaves, places, cellChunks, addedBytes, stamp: before }
}

type Chunked = ChunkedFile & { readonly size: number; readonly pieces: readonly FilePiece[] }

async function chunkPlain(path: string, size: number, take: TakeChunk): Promise<Chunked> {
  const source = openRawSource(path)
  const handle = await open(path, 'r')
  try {
    const [extents, pieces] = [await resolveExtents(path, size), readFilePieces(source)]
    return { ...(await chunkFile({ file: { path, size, handle }, extents, pieces }, take)), size, pieces }
  } finally {
    source.close()
    await handle.close()
  }
}

async function chunkOverlay(
  input: Exclude<PutInput, string>,
  { at, to, take }: { readonly at: StoreDir; readonly to: PutInto; readonly take: TakeChunk },
): Promise<Chunked> {
  const paths = [input.overlay, ...input.below]
  const chain = openOverlay(paths)
  try {
    const { size } = chain
    const parent = size === input.parent.size ? await inheritMap(at, to, input.parent) : undefined
    const source = { file: toCellFile(input.overlay, chain), pieces: readFilePieces(chain) }
    const chunked = await (parent === undefined
      ? chunkFile({ ...source, extents: await resolveChainExtents(paths, size) }, take)
      : chunkFile({ ...source, extents: changesOf(chain, parent.entries), parent }, take))
    return { ...chunked, size, pieces: source.pieces }
  } finally {
    chain.close()
  }
}

/** What was freed and never was data is no change: most of what a child trims. */
function changesOf({ own, cleared }: DiskChain, parent: readonly MapEntry[]): readonly Extent[] {
  const used = parent.map(({ offset, length }) => ({ start: offset, end: offset + length }))
  return [...subtractExtents(own, [...subtractExtents(cleared, used)])]
}

function openOverlay(paths: readonly string[]): DiskChain {
  try {
    return openDiskChain(paths)
  } catch (cause) {
    if (!(cause instanceof Qcow2Odd)) throw cause
    throw new ImgError('INPUT_INVALID', `cannot store ${paths[0]}: the overlay ${cause.message}`, {
      path: paths[0]!,
      hint: 'the layer left a damaged disk behind; build it again',
      cause,
    })
  }
}

async function putMap(at: StoreDir, index: ChunkIndex, file: MappedFile): Promise<ArtifactFile> {
  const lists = [...file.leaves, ...file.places.map((digest) => ({ digest }))]
  const packs = packsOf(index, [...file.entries, ...lists])
  const root = renderRoot({ ...file, cells: file.cellChunks })
  const mapDigest = createHash('sha256').update(root).digest('hex')
  await putContent(at.dir, `map:${mapDigest}`, { data: root, digest: mapDigest })
  return {
    size: file.size,
    diskDigest: file.diskDigest,
    mapDigest,
    packs,
    dataBytes: file.dataBytes,
    addedBytes: file.addedBytes,
  }
}

/** The packs a map's chunks and leaves are in, sorted. */
export function packsOf(
  index: ChunkIndex,
  chunks: readonly { readonly digest: Buffer }[],
): readonly string[] {
  const packs = new Set<string>()
  for (const { digest } of chunks) {
    const location = index.find(digest)
    // Only when a pack was found damaged, or taken away, since it was looked up.
    if (location === undefined)
      throw new Error(`chunk ${digest.toString('hex')} vanished while its map was written`)
    packs.add(location.pack)
  }
  return [...packs].toSorted()
}
