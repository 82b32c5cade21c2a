// A disk as it lies in files: a plain one, or overlays on a plain one, nearest first.

import { openRawSource, type BlockSource } from './block-source.ts'
import { chunker } from './cut.ts'
import { mergeExtents, type Extent } from './extents.ts'
import { openQcow2 } from './qcow2.ts'
import type { CellFile } from './read-cells.ts'

export interface DiskChain extends BlockSource {
  /** What the first file says itself; of a plain disk everything. In order, aligned to blocks. */
  readonly own: readonly Extent[]
  /** Whole blocks of it that are zeros: freed ones, most of which were never anything else. In order. */
  readonly cleared: readonly Extent[]
}

/** Throws `Qcow2Odd`, and what opening a file throws. */
export function openDiskChain(paths: readonly string[]): DiskChain {
  const opened: BlockSource[] = []
  const close = (): void => {
    for (const source of opened) source.close()
  }
  try {
    let top: BlockSource = openRawSource(paths.at(-1)!)
    opened.push(top)
    let own: readonly Extent[] = [{ start: 0, end: top.size }]
    let cleared: readonly Extent[] = []
    for (const path of paths.slice(0, -1).toReversed()) {
      const overlay = openQcow2(path, top)
      opened.push(overlay)
      top = overlay
      own = mergeExtents(overlay.own, overlay.size)
      cleared = overlay.own.filter(({ file }) => file === undefined).flatMap(alignInwards)
    }
    return { ...top, close, own, cleared }
  } catch (cause) {
    close()
    throw cause
  }
}

function alignInwards({ start, end }: Extent): readonly Extent[] {
  const from = Math.ceil(start / chunker.block) * chunker.block
  const to = Math.floor(end / chunker.block) * chunker.block
  return to > from ? [{ start: from, end: to }] : []
}

/** A chain read as a file is. */
export function toCellFile(path: string, chain: BlockSource): CellFile {
  return {
    path,
    size: chain.size,
    handle: {
      // As FileHandle has it.
      // oxlint-disable-next-line max-params
      read: async (into, offset, length, position) => {
        const bytesRead = Math.min(length, chain.size - position)
        chain.read(position, into.subarray(offset, offset + bytesRead))
        return { bytesRead }
      },
    },
  }
}
