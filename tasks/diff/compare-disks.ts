// Two disks beside their files: size, boot code, partitions.

import type { ImagePart, ImageTree } from './tree.ts'

export interface DiskDifference {
  readonly text: string
  /** `size`, `boot-code`, or of a partition `3:uuid`: `place`, `kind`, `uuid`, `label`, `bytes`, `number` of them. */
  readonly what: readonly string[]
}

export function compareDisks(before: ImageTree, after: ImageTree): readonly DiskDifference[] {
  const differences: DiskDifference[] = []
  if (before.size !== after.size)
    differences.push({ text: `size ${before.size} -> ${after.size}`, what: ['size'] })
  if (before.bootCode !== after.bootCode) differences.push({ text: 'boot code differs', what: ['boot-code'] })
  const count = Math.max(before.parts.length, after.parts.length)
  for (let index = 0; index < count; index++) {
    const difference = comparePart(before.parts[index], after.parts[index])
    if (difference === undefined) continue
    differences.push({
      text: `partition ${index + 1}: ${difference.text}`,
      what: difference.what.map((what) => `${index + 1}:${what}`),
    })
  }
  return differences
}

function comparePart(old: ImagePart | undefined, now: ImagePart | undefined): DiskDifference | undefined {
  const [was, is] = [old, now].map(describePart)
  if (old === undefined || now === undefined) return { text: `${was} -> ${is}`, what: ['number'] }
  const what = [
    ...(old.start === now.start && old.size === now.size ? [] : ['place']),
    ...(['kind', 'uuid', 'label'] as const).filter((name) => old[name] !== now[name]),
  ]
  const bytes = haveSameBytes(old, now) ? [] : ['bytes']
  if (what.length > 0) return { text: `${was} -> ${is}`, what: [...what, ...bytes] }
  return bytes.length === 0 ? undefined : { text: `${was}, other bytes`, what: bytes }
}

const describePart = (part: ImagePart | undefined): string =>
  part === undefined
    ? 'none'
    : [part.kind || 'unknown', `${part.start}+${part.size}`, part.uuid, part.label].join(' ').trim()

/** True also where files are compared instead. */
function haveSameBytes(one: ImagePart, other: ImagePart): boolean {
  if (one.read === undefined || other.read === undefined) return true
  const [left, right] = [Buffer.alloc(2 ** 20), Buffer.alloc(2 ** 20)]
  for (let at = 0; at < Math.min(one.size, other.size); at += left.length) {
    one.read(at, left)
    other.read(at, right)
    if (!left.equals(right)) return false
  }
  return true
}
