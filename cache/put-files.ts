// Files into the store. Packs reach the disk first, then their footers, then maps; whoever sees a map has all of it.

import { createHash } from 'node:crypto'
import { ImgError } from '../tasks/errors.ts'
import { chunkFile, type ChunkedFile } from './chunk-file.ts'
import type { ChunkIndex } from './chunk-index.ts'
import { putContent } from './content.ts'
import { resolveExtents } from './extents.ts'
import { sameStamp, stampOf, type FileStamp } from './file-stamp.ts'
import { renderLeaves, renderRoot, type MapLeaf } from './map-format.ts'
import { openPackWriter, type PackWriter } from './pack-writer.ts'
import type { StoreDir } from './store-dir.ts'
import type { Artifact, ArtifactFile } from './store.ts'
import type { Zstd } from './zstd.ts'

export interface PutResult {
  readonly artifact: Artifact
  /** What each file was when its bytes were read. */
  readonly stamps: Readonly<Record<string, FileStamp>>
}

export async function putFiles(
  at: StoreDir,
  to: { readonly index: ChunkIndex; readonly zstd: Zstd },
  files: Readonly<Record<string, string>>,
): Promise<PutResult> {
  await to.index.refresh()
  const writer = openPackWriter(at, to.index, to.zstd)
  try {
    const chunked: [string, MappedFile][] = []
    for (const [name, path] of Object.entries(files)) chunked.push([name, await putFile(writer, name, path)])
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
  readonly addedBytes: number
  readonly stamp: FileStamp
}

async function putFile(writer: PackWriter, name: string, path: string): Promise<MappedFile> {
  const before = await stampOf(path).catch((cause: Error) => {
    throw new ImgError('INPUT_MISSING', `cannot read ${path} to store it as ${name}: ${cause.message}`, {
      path,
      hint: 'the layer did not leave this file behind; see its log',
      cause,
    })
  })
  const size = Number(before.size)
  const start = await writer.flush()
  const chunked = await chunkFile({ path, size }, await resolveExtents(path, size), (digest, parts) =>
    writer.add(digest, parts),
  )
  const leaves: MapLeaf[] = []
  for (const leaf of renderLeaves(chunked.entries)) {
    const digest = createHash('sha256').update(leaf.bytes).digest()
    await writer.add(digest, [leaf.bytes])
    leaves.push({ start: leaf.start, digest })
  }
  const addedBytes = (await writer.flush()) - start
  if (!sameStamp(before, await stampOf(path))) {
    throw new ImgError('INPUT_CHANGED', `${path} changed while ${name} was being stored`, {
      path,
      hint: 'make sure nothing writes to it, then run the command again',
    })
  }
  return { ...chunked, size, leaves, addedBytes, stamp: before }
}

async function putMap(at: StoreDir, index: ChunkIndex, file: MappedFile): Promise<ArtifactFile> {
  const packs = new Set<string>()
  for (const { digest } of [...file.entries, ...file.leaves]) {
    const location = index.find(digest)
    // Only when a pack was found damaged, or taken away, since it was looked up.
    if (location === undefined)
      throw new Error(`chunk ${digest.toString('hex')} vanished while its map was written`)
    packs.add(location.pack)
  }
  const root = renderRoot(file)
  const mapDigest = createHash('sha256').update(root).digest('hex')
  await putContent(at.dir, `map:${mapDigest}`, { data: root, digest: mapDigest })
  return {
    size: file.size,
    diskDigest: file.diskDigest,
    mapDigest,
    packs: [...packs].toSorted(),
    dataBytes: file.dataBytes,
    addedBytes: file.addedBytes,
  }
}
