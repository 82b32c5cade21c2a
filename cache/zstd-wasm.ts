// zstd compiled to WebAssembly, which runs everywhere, and decodes into memory that is there already. All else gives each
// frame new memory, whose page faults and collections take as long as the decoding.

import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { init } from '@bokuweb/zstd-wasm'
import { frameMax } from './pack-format.ts'
import { decodedBound } from './zstd-frame.ts'

// Once in a thread, and when this is first imported: another `init` puts another memory in the place of the one in use.
await init()

export { compress, decompress } from '@bokuweb/zstd-wasm'

export interface Decoder {
  /** What is decoded next; as the memory below it may become another array by any call. */
  source(length: number): Buffer
  /** The first `stored` bytes of `source`, decoded into a slot. Throws when they are not a frame of `length` bytes. */
  decode(stored: number, length: number, slot: number): void
  /** `frameMax` bytes. */
  slot(slot: number): Buffer
  /** Gives the memory back: its slots are not to be read any more. */
  close(): void
}

/** With so many places of `frameMax` bytes for decoded frames. */
export function openDecoder(slots: number): Decoder {
  const code = compiled()
  const { _malloc: allocate, _free: free } = code
  const { _ZSTD_decompress: decompress, _ZSTD_isError: isError } = code
  const memory = allocate((slots + 1) * frameMax)
  if (memory === 0) throw new RangeError(`no memory for ${slots} frames`)
  const at = (slot: number): number => memory + (slot + 1) * frameMax
  const bytes = (from: number, length: number): Buffer => Buffer.from(code.HEAPU8.buffer, from, length)
  return {
    source: (length) => bytes(memory, Math.min(length, frameMax)),
    slot: (slot) => bytes(at(slot), frameMax),
    close: () => free(memory),
    decode(stored, length, slot) {
      const bound = decodedBound(bytes(memory, stored))
      if (bound === undefined || bound < length) throw new Error('not a whole zstd frame')
      const decoded = decompress(at(slot), frameMax, memory, stored)
      if (isError(decoded) !== 0) throw new Error('not a zstd frame')
      if (decoded !== length) throw new Error(`a frame of ${length} bytes decoded to ${decoded}`)
    },
  }
}

/** What the package's own functions call, whose results are copies in new memory. Its version is pinned. */
interface Compiled {
  /** Another array when the memory has grown. */
  readonly HEAPU8: Uint8Array
  readonly _malloc: (bytes: number) => number
  readonly _free: (memory: number) => void
  // As C has them.
  // oxlint-disable-next-line max-params
  readonly _ZSTD_decompress: (target: number, room: number, source: number, length: number) => number
  readonly _ZSTD_isError: (result: number) => number
}

function compiled(): Compiled {
  const require = createRequire(import.meta.url)
  const inside = join(dirname(require.resolve('@bokuweb/zstd-wasm')), 'module.js')
  return (require(inside) as { readonly Module: Compiled }).Module
}
