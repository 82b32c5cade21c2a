// What a child takes over from the disk it stands on. By disk digest only: equal trees may lie in different blocks, and
// chunks of one disk in the place of another's would be damage nobody notices.

import type { Inherited } from './chunk-file.ts'
import type { ChunkIndex } from './chunk-index.ts'
import { ChunkLost } from './chunk-lost.ts'
import { openChunkReader } from './chunk-reader.ts'
import { chunker } from './cut.ts'
import { parseCells } from './cell-list.ts'
import { MapError } from './map-format.ts'
import { readMapEntries, readMapRoot } from './read-map.ts'
import type { StoreDir } from './store-dir.ts'
import type { ArtifactFile } from './store.ts'
import type { Zstd } from './zstd.ts'

/** Undefined when the map is lost, was cut otherwise, or its cells are not those of the disk it claims to be. */
export async function inheritMap(
  at: StoreDir,
  { index, zstd }: { readonly index: ChunkIndex; readonly zstd: Zstd },
  parent: ArtifactFile,
): Promise<Inherited | undefined> {
  const reader = openChunkReader(at, { index, zstd, onDamage: 'quarantine' })
  try {
    const root = readMapRoot(at.dir, parent)
    if (root.chunker !== chunker.id) return undefined
    const pieces: Buffer[] = []
    for (const digest of root.cells) pieces.push(await reader.read(digest))
    const cells = parseCells(pieces, parent)
    if (cells === undefined) return undefined
    const entries = await readMapEntries(reader, root)
    // Removed with the parent's record: what is under the overlay is read again.
    if (entries.some(({ digest }) => index.find(digest) === undefined)) return undefined
    return { entries, cells }
  } catch (cause) {
    if (cause instanceof MapError || cause instanceof ChunkLost) return undefined
    throw cause
  } finally {
    reader.close()
  }
}
