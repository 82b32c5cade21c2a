// Pure. The digest of a disk's bytes, holes as zeros: a sha256 tree over a 1 MiB grid, independent of how the disk is
// cut, packed and stored. All-zero cells and subtrees cost nothing, so an empty terabyte is as quick as a small file.

import { createHash, webcrypto } from 'node:crypto'

export const cellSize: number = 1024 * 1024

export interface DiskDigest {
  /** A cell that is not all zeros; its sha256 over exactly the bytes the disk has there. */
  set(cell: number, digest: Uint8Array): void
  compute(): string
}

export function makeDiskDigest(size: number): DiskDigest {
  const cells = new Map<number, Uint8Array>()
  return {
    set(cell, digest) {
      cells.set(cell, digest)
    },
    compute() {
      let level = cells
      let count = Math.ceil(size / cellSize)
      while (count > 1) {
        level = nextLevel(level, count)
        count = Math.ceil(count / fanOut)
      }
      const head = Buffer.alloc(8)
      head.writeBigUInt64LE(BigInt(size))
      return createHash('sha256')
        .update('img disk 1\n')
        .update(head)
        .update(level.get(0) ?? zeros)
        .digest('hex')
    },
  }
}

/** Off the main thread; the bytes may change as soon as it returns. */
export async function hashCell(bytes: Buffer): Promise<Buffer> {
  return Buffer.from(await webcrypto.subtle.digest('SHA-256', bytes))
}

const fanOut = 1024
const zeros = Buffer.alloc(32)

function nextLevel(level: ReadonlyMap<number, Uint8Array>, count: number): Map<number, Uint8Array> {
  const groups = new Map<number, Buffer>()
  for (const [index, digest] of level) {
    const group = Math.floor(index / fanOut)
    const bytes = groups.get(group) ?? Buffer.alloc(32 * Math.min(fanOut, count - group * fanOut))
    bytes.set(digest, 32 * (index % fanOut))
    groups.set(group, bytes)
  }
  const next = new Map<number, Uint8Array>()
  for (const [group, bytes] of groups) next.set(group, createHash('sha256').update(bytes).digest())
  return next
}
