// A map out of the store: the root as content, the leaves as chunks, everything checked before it is believed.

import type { ChunkReader } from './chunk-reader.ts'
import { readContent } from './entries.ts'
import {
  MapError,
  parseLeaf,
  parsePlaces,
  parseRoot,
  sortEntries,
  type MapEntry,
  type MapRoot,
} from './map-format.ts'
import type { ArtifactFile } from './store.ts'

/** Throws `MapError`. */
export function readMapRoot(dir: string, file: Pick<ArtifactFile, 'mapDigest' | 'size'>): MapRoot {
  const content = readContent(dir, file.mapDigest)
  if (content.status !== 'whole') throw new MapError(`is ${content.status}`)
  const root = parseRoot(content.data)
  if (root.size !== file.size)
    throw new MapError(`is of a file of ${root.size} bytes instead of ${file.size}`)
  return root
}

/** In order of the disk. */
export async function readMapEntries(reader: ChunkReader, root: MapRoot): Promise<readonly MapEntry[]> {
  const entries: MapEntry[] = []
  for await (const leaf of readMapLeaves(reader, root)) for (const entry of leaf) entries.push(entry)
  return sortEntries(entries)
}

/** For whoever makes something of half a map. */
export async function* readMapLeaves(
  reader: ChunkReader,
  root: MapRoot,
): AsyncGenerator<readonly MapEntry[]> {
  const pieces: Buffer[] = []
  for (const digest of root.places) pieces.push(await reader.read(digest))
  const places = parsePlaces(pieces, root.leaves)
  for (const [number, { digest }] of root.leaves.entries())
    yield parseLeaf(await reader.read(digest), { steps: places[number]!, size: root.size })
}
