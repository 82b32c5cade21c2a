// Pure. Where a stream of 4 KiB blocks outside of files is cut into chunks: by content, so that equal data is cut equally
// wherever it lies. One test per block finds what a byte-wise rolling hash finds, since ext4 moves whole blocks only.

import { crc32 } from 'node:zlib'

/** Part of the map format: other parameters find nothing of what is stored. */
export const chunker = {
  id: 'ext4-pieces+aligned-crc32',
  block: 4096,
  min: 16384,
  average: 65536,
  max: 262144,
} as const

export interface Cutter {
  /** Takes the next block of data; true when the chunk ends with it. A gap or a block of zeros ends it as well. */
  endsWith(block: Uint8Array): boolean
  /** The chunk was ended for another reason. */
  restart(): void
}

export function makeCutter(): Cutter {
  let length = 0
  return {
    endsWith(block) {
      length += chunker.block
      if (length < chunker.min) return false
      if (length < chunker.max) {
        const mask = length < chunker.average ? strict : loose
        if (((crc32(block) >>> 7) & mask) !== 0) return false
      }
      length = 0
      return true
    },
    restart() {
      length = 0
    },
  }
}

/** Two masks around the average keep lengths close to it: one boundary in 64 before, one in 4 after. */
const strict = 0x3f
const loose = 0x03
