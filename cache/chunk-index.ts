// Where every chunk of the store is: one open-addressing table over all footers. 8 bytes a slot besides the footers
// themselves, so a million chunks are about 60 MB and take tens of milliseconds to load.

import { examinePack } from './examine-pack.ts'
import { listPacks, packProblem, readKeptFooter } from './footers.ts'
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
  /** Takes in what other processes added or removed since. A pack that is not as its footer says stays out. */
  refresh(): Promise<void>
  /** A pack found damaged: its chunks are looked for elsewhere. */
  forget(pack: string): void
}

/** `report`: nothing in the store is changed; otherwise a broken footer is mended and a broken pack put aside. */
export function openChunkIndex(at: StoreDir, onDamage: 'quarantine' | 'report'): ChunkIndex {
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
    async refresh() {
      const present = new Set(listPacks(at))
      const known = packs.filter(({ id }) => present.delete(id))
      const fresh: typeof packs = []
      for (const id of present) {
        const footer =
          loadFooter(at, id) ?? (onDamage === 'quarantine' ? await mendFooter(at, id) : undefined)
        if (footer !== undefined) fresh.push({ id, footer })
      }
      if (fresh.length > 0 || known.length < packs.length) setPacks([...known, ...fresh])
    },
    forget(pack) {
      const left = packs.filter(({ id }) => id !== pack)
      if (left.length < packs.length) setPacks(left)
    },
  }
}

function loadFooter(at: StoreDir, pack: string): PackFooter | undefined {
  return packProblem(at, pack) === undefined ? readKeptFooter(at, pack) : undefined
}

async function mendFooter(at: StoreDir, pack: string): Promise<PackFooter | undefined> {
  return (await examinePack(at, pack)) ? readKeptFooter(at, pack) : undefined
}
