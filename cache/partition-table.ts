// Where a disk's partitions are, from its GPT or MBR; a disk without a table is one
// partition. Only a hint where to look for filesystems: a wrong answer finds none.

import type { BlockSource } from './block-source.ts'

export interface PartitionRange {
  readonly start: number
  readonly size: number
}

/** In order of the table; never throws for what the disk holds. */
export function readPartitions(disk: BlockSource): readonly PartitionRange[] {
  const head = Buffer.alloc(4096)
  disk.read(0, head)
  if (head.readUInt16LE(510) !== 0xaa55) return whole(disk)
  const entries = mbrEntries(head)
  const found = entries.some(({ type }) => type === 0xee) ? readGpt(disk, head) : entries
  const ranges = found.filter(({ start, size }) => start > 0 && size > 0 && start + size <= disk.size)
  // A filesystem's own boot sector ends in the same two bytes.
  return ranges.length === 0 ? whole(disk) : ranges.map(({ start, size }) => ({ start, size }))
}

const sector = 512
const maxEntries = 256
const whole = (disk: BlockSource): readonly PartitionRange[] => [{ start: 0, size: disk.size }]

function mbrEntries(head: Buffer): readonly (PartitionRange & { readonly type: number })[] {
  return [446, 462, 478, 494].flatMap((at) => {
    const type = head.readUInt8(at + 4)
    const range = { start: head.readUInt32LE(at + 8) * sector, size: head.readUInt32LE(at + 12) * sector }
    return type === 0 ? [] : [{ type, ...range }]
  })
}

function readGpt(disk: BlockSource, head: Buffer): readonly PartitionRange[] {
  if (head.toString('latin1', sector, sector + 8) !== 'EFI PART') return []
  const [count, length] = [head.readUInt32LE(sector + 80), head.readUInt32LE(sector + 84)]
  if (count > maxEntries || length < 128 || length > 4096) return []
  const entries = Buffer.alloc(count * length)
  disk.read(toNumber(head.readBigUInt64LE(sector + 72)) * sector, entries)
  return Array.from({ length: count }, (_, number) => entries.subarray(number * length)).flatMap((entry) => {
    if (entry.subarray(0, 16).every((byte) => byte === 0)) return []
    const first = toNumber(entry.readBigUInt64LE(32))
    const last = toNumber(entry.readBigUInt64LE(40))
    return [{ start: first * sector, size: (last - first + 1) * sector }]
  })
}

/** What no disk of ours can hold becomes 0, which nobody takes for a place. */
const toNumber = (value: bigint): number => (value < 2n ** 43n ? Number(value) : 0)
