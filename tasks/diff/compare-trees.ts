// What differs between two trees, path by path. Pure but for reading the bytes it is given.

import type { ImageEntry, ImageTree } from './tree.ts'

export interface FileDifference {
  readonly path: string
  readonly change: 'added' | 'removed' | 'changed'
  /** What of it, when changed: `kind`, `content`, `mode`, `owner`, `target`, `device`, `mtime`, or an attribute's name. */
  readonly what: readonly string[]
  readonly before?: FileFacts
  readonly after?: FileFacts
}

export interface FileFacts {
  readonly kind: ImageEntry['kind']
  /** Octal, as `ls` users know it. */
  readonly mode: string
  readonly uid: number
  readonly gid: number
  readonly size: number
  readonly target?: string
}

export interface CompareOptions {
  /** Modification times count, too. */
  readonly times: boolean
}

/** Sorted by path. */
export function compareTrees(
  before: ImageTree,
  after: ImageTree,
  options: CompareOptions,
): readonly FileDifference[] {
  const differences: FileDifference[] = []
  const paths = [...new Set([...before.entries.keys(), ...after.entries.keys()])]
  for (const path of paths.toSorted((one, other) => (one < other ? -1 : 1))) {
    const [old, now] = [before.entries.get(path), after.entries.get(path)]
    if (old === undefined && now !== undefined)
      differences.push({ path, change: 'added', what: [], after: factsOf(now) })
    if (old !== undefined && now === undefined)
      differences.push({ path, change: 'removed', what: [], before: factsOf(old) })
    if (old === undefined || now === undefined) continue
    const what = compareEntries(old, now, options)
    if (what.length > 0)
      differences.push({ path, change: 'changed', what, before: factsOf(old), after: factsOf(now) })
  }
  return differences
}

function compareEntries(old: ImageEntry, now: ImageEntry, { times }: CompareOptions): readonly string[] {
  if (old.kind !== now.kind) return ['kind']
  const names = new Set([...Object.keys(old.attributes), ...Object.keys(now.attributes)])
  return [
    ...(old.kind === 'file' && !sameContent(old, now) ? ['content'] : []),
    ...(old.mode === now.mode ? [] : ['mode']),
    ...(old.uid === now.uid && old.gid === now.gid ? [] : ['owner']),
    ...(old.target === now.target ? [] : ['target']),
    ...(old.device === now.device ? [] : ['device']),
    ...[...names].filter((name) => old.attributes[name] !== now.attributes[name]).toSorted(),
    ...(times && old.mtime !== now.mtime ? ['mtime'] : []),
  ]
}

/** Byte by byte, whatever sizes the parts have. */
function sameContent(one: ImageEntry, other: ImageEntry): boolean {
  if (one.size !== other.size) return false
  const [left, right] = [one.content(), other.content()]
  let [a, b] = [nextPart(left), nextPart(right)]
  while (a.length > 0 && b.length > 0) {
    const length = Math.min(a.length, b.length)
    if (a.compare(b, 0, length, 0, length) !== 0) return false
    a = length < a.length ? a.subarray(length) : nextPart(left)
    b = length < b.length ? b.subarray(length) : nextPart(right)
  }
  return a.length === b.length
}

function nextPart(content: Iterator<Buffer>): Buffer {
  for (;;) {
    const next = content.next()
    if (next.done === true) return Buffer.alloc(0)
    if (next.value.length > 0) return next.value
  }
}

function factsOf({ kind, mode, uid, gid, size, target }: ImageEntry): FileFacts {
  return {
    kind,
    mode: mode.toString(8).padStart(4, '0'),
    uid,
    gid,
    size,
    ...(target === undefined ? {} : { target }),
  }
}
