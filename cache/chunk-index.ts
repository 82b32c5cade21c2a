// Where every chunk of the store is: one open-addressing table over all footers. 8 bytes a slot besides the footers
// themselves, so a million chunks are about 60 MB and take tens of milliseconds to load.

import { listPacks, readFooter } from './footers.ts'
import type { Frame, PackFooter } from './pack-format.ts'
import type { StoreDir } from './store-dir.ts'

export interface ChunkLocation {
  readonly pack: string
  readonly frame: Frame
  /** Offset in the decoded frame. */
  readonly at: number
  readonly length: number
}

export interface ChunkIndex {
  find(digest: Buffer): ChunkLocation | undefined
  /** Takes in what other processes added or removed since. */
  refresh(): void
  /** A pack found damaged: its chunks are looked for elsewhere. */
  forget(pack: string): void
}

export function openChunkIndex(at: StoreDir): ChunkIndex {
  let packs: { readonly id: string; readonly footer: PackFooter }[] = []
  let slots = new Uint32Array(0)

  const insert = (packNumber: number, chunk: number): void => {
    const mask = slots.length / 2 - 1
    const digest = packs[packNumber]!.footer.digestAt(chunk)
    let slot = digest.readUInt32LE(0) & mask
    while (slots[slot * 2] !== 0) slot = (slot + 1) & mask
    slots[slot * 2] = packNumber + 1
    slots[slot * 2 + 1] = chunk
  }

  const rebuild = (capacity: number): void => {
    slots = new Uint32Array(2 * capacity)
    for (const [number, { footer }] of packs.entries()) {
      for (let chunk = 0; chunk < footer.chunkCount; chunk++) insert(number, chunk)
    }
  }

  const setPacks = (next: typeof packs): void => {
    const added = next.slice(packs.length)
    const grown = next.length >= packs.length && packs.every(({ id }, number) => next[number]?.id === id)
    packs = next
    const used = packs.reduce((sum, { footer }) => sum + footer.chunkCount, 0)
    const capacity = 2 ** Math.ceil(Math.log2(Math.max(1024, used * 2)))
    if (!grown || capacity * 2 !== slots.length) return rebuild(capacity)
    for (const [index, { footer }] of added.entries()) {
      for (let chunk = 0; chunk < footer.chunkCount; chunk++)
        insert(packs.length - added.length + index, chunk)
    }
  }

  return {
    find(digest) {
      if (slots.length === 0) return undefined
      const mask = slots.length / 2 - 1
      let slot = digest.readUInt32LE(0) & mask
      for (; slots[slot * 2] !== 0; slot = (slot + 1) & mask) {
        const { id, footer } = packs[slots[slot * 2]! - 1]!
        const chunk = slots[slot * 2 + 1]!
        if (!footer.isAt(chunk, digest)) continue
        const { frame, at: offset, length } = footer.placeOf(chunk)
        return { pack: id, frame: footer.frames[frame]!, at: offset, length }
      }
      return undefined
    },
    refresh() {
      const present = new Set(listPacks(at))
      const known = packs.filter(({ id }) => present.delete(id))
      const fresh = [...present].flatMap((id) => {
        const footer = readFooter(at, id)
        return footer === undefined ? [] : [{ id, footer }]
      })
      if (fresh.length > 0 || known.length < packs.length) setPacks([...known, ...fresh])
    },
    forget(pack) {
      const left = packs.filter(({ id }) => id !== pack)
      if (left.length < packs.length) setPacks(left)
    },
  }
}
