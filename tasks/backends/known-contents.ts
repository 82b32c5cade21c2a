// Digests of the files that lie in a parent's disk, for whoever builds on it again and again: of a child's files, those
// with no block in its overlay have the content they had the last time.

import type { Extent } from '../../cache/extents.ts'
import { stampOf } from '../../cache/file-stamp.ts'

export interface KnownContents {
  /** For an overlay of which `own` is what it says itself, in order, on these files. Of other files nothing is kept. */
  over(own: readonly Extent[], below: readonly string[]): Promise<ContentsBelow>
}

export interface ContentsBelow {
  /** The digest of a file of this size that lies there on the disk, computed where it is not known. */
  digest(file: PlacedFile, compute: () => string): string
}

export interface PlacedFile {
  readonly size: number
  /** Where its bytes are, in their order; `at` is a place in the file. The rest of it is zeros. */
  readonly extents: readonly (Extent & { readonly at: number })[]
}

export function openKnownContents(): KnownContents {
  let of = ''
  let digests = new Map<string, string>()
  return {
    over: async (own, below) => {
      const stamps = await Promise.all(below.map(stampOf))
      const now = below
        .map((path, place) => [path, ...Object.values(stamps[place] ?? {})].join(' '))
        .join('\n')
      if (now !== of) digests = new Map()
      of = now
      const known = digests
      return {
        digest: ({ size, extents }, compute) => {
          if (below.length === 0 || extents.some((extent) => isTouched(own, extent))) return compute()
          const name = [size, ...extents.map(({ at, start, end }) => `${at} ${start} ${end}`)].join(',')
          const digest = known.get(name) ?? compute()
          known.set(name, digest)
          return digest
        },
      }
    },
  }
}

/** Whether any of the ranges, which are in order and apart, has something of this one. */
function isTouched(own: readonly Extent[], { start, end }: Extent): boolean {
  let [low, high] = [0, own.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (own[middle]!.end <= start) low = middle + 1
    else high = middle
  }
  return low < own.length && own[low]!.start < end
}
