// What restoring a file and restoring an overlay have in common: cells planned from a map, made, and checked as a whole.

import { PackDamaged } from './chunk-lost.ts'
import type { ChunkReader } from './chunk-reader.ts'
import { cellSize } from './disk-digest.ts'
import type { Piece } from './make-cells.ts'
import { MapError, type MapEntry } from './map-format.ts'
import type { ArtifactFile } from './store.ts'

/** `entries` in order; where each cell's bytes are in the packs, by number. Throws `ChunkLost` and `MapError`. */
export function locatePieces(entries: readonly MapEntry[], reader: ChunkReader): Map<number, Piece[]> {
  const cells = new Map<number, Piece[]>()
  for (const entry of entries) {
    const { pack, frame, at, length } = reader.locate(entry.digest)
    if (length !== entry.length)
      throw new MapError(`has ${entry.length} bytes at ${entry.offset} for a chunk of ${length}`)
    for (let done = 0; done < length;) {
      const offset = entry.offset + done
      const number = Math.floor(offset / cellSize)
      const part = Math.min(length - done, (number + 1) * cellSize - offset)
      const pieces = cells.get(number) ?? []
      cells.set(number, pieces)
      pieces.push({ offset, length: part, pack, frame, at: at + done })
      done += part
    }
  }
  return cells
}

/** `attempt` gives the disk digest of what it made; `chunks` is what it needs. Throws `ChunkLost` and `MapError`. */
export async function untilWhole(
  file: ArtifactFile,
  { reader, chunks }: { readonly reader: ChunkReader; readonly chunks: () => Promise<readonly MapEntry[]> },
  attempt: () => Promise<string>,
): Promise<void> {
  try {
    if ((await attempt()) === file.diskDigest) return
  } catch (cause) {
    if (!(cause instanceof PackDamaged)) throw cause
  }
  // Each chunk verified: what is damaged is put aside, and the store may have it twice.
  for (const { digest } of await chunks()) await reader.read(digest)
  const found = await attempt()
  if (found !== file.diskDigest) throw new MapError(`gives the bytes ${found} instead of ${file.diskDigest}`)
}
