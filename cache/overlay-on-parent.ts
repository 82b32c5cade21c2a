// A disk made of its parent's, which is here already: quick when it can be had, and nothing is lost when it cannot.

import type { ChunkIndex } from './chunk-index.ts'
import { ChunkLost } from './chunk-lost.ts'
import { openChunkReader } from './chunk-reader.ts'
import { openDiskChain } from './disk-chain.ts'
import type { Disks } from './disks.ts'
import { inheritMap } from './inherit-map.ts'
import { MapError } from './map-format.ts'
import { Qcow2Odd } from './qcow2.ts'
import { restoreOverlay } from './restore-overlay.ts'
import type { StoreDir } from './store-dir.ts'
import type { ArtifactFile } from './store.ts'
import type { Zstd } from './zstd.ts'

/** Its files, nearest first; undefined when the parent is not here, or something about either is damaged. */
export async function overlayOnParent(
  at: StoreDir,
  { index, zstd, disks }: { readonly index: ChunkIndex; readonly zstd: Zstd; readonly disks: Disks },
  { file, parent }: { readonly file: ArtifactFile; readonly parent: ArtifactFile },
): Promise<readonly string[] | undefined> {
  const files = await disks.chain(parent.diskDigest)
  if (files === undefined || parent.size !== file.size) return undefined
  await index.refresh()
  const inherited = await inheritMap(at, { index, zstd }, parent)
  if (inherited === undefined) return undefined
  const reader = openChunkReader(at, { index, zstd, onDamage: 'quarantine' })
  try {
    return await disks.overlay(file, { digest: parent.diskDigest, files }, async (to) => {
      // A chain that cannot be read is found before any thread begins.
      openDiskChain(files).close()
      await restoreOverlay(file, to, { files, inherited, dir: at.dir, reader })
    })
  } catch (cause) {
    // Restoring whole says what is wrong, if anything is.
    if (cause instanceof MapError || cause instanceof ChunkLost || cause instanceof Qcow2Odd) return undefined
    throw cause
  } finally {
    reader.close()
  }
}
