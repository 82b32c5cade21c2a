// Pure. Ranges of a disk.

import { chunker } from './cut.ts'

export interface Extent {
  readonly start: number
  readonly end: number
}

export function parseExtents(text: string, size: number): readonly Extent[] {
  const lines = text.split('\n').flatMap((line) => {
    const found = /^(\d+) (\d+)$/.exec(line)
    return found === null ? [] : [{ start: Number(found[1]), end: Number(found[2]) }]
  })
  return mergeExtents(lines, size)
}

/** The same ranges in order, not touching, aligned outwards to blocks (except the file's end). */
export function mergeExtents(ranges: readonly Extent[], size: number): readonly Extent[] {
  const extents: { readonly start: number; end: number }[] = []
  for (const range of ranges.toSorted((one, other) => one.start - other.start)) {
    const start = Math.floor(range.start / chunker.block) * chunker.block
    const end = Math.min(size, Math.ceil(range.end / chunker.block) * chunker.block)
    const last = extents.at(-1)
    if (last !== undefined && last.end >= start) last.end = Math.max(last.end, end)
    else if (end > start) extents.push({ start, end })
  }
  return extents
}

/** What is in the first and in none of the others; both in order, not touching. */
export function* subtractExtents(extents: readonly Extent[], others: readonly Extent[]): Generator<Extent> {
  let next = 0
  for (const { start, end } of extents) {
    while (next < others.length && others[next]!.end <= start) next++
    let from = start
    for (let at = next; at < others.length && others[at]!.start < end; at++) {
      const other = others[at]!
      if (other.start > from) yield { start: from, end: other.start }
      from = Math.max(from, other.end)
    }
    if (from < end) yield { start: from, end }
  }
}
