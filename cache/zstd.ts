// zstd level 3, by the fastest implementation there is; all write frames that all read.

import * as zlib from 'node:zlib'
import { ImgError } from '../tasks/errors.ts'
import { decodedBound } from './zstd-frame.ts'

export interface Zstd {
  readonly name: 'node' | 'native' | 'wasm'
  compress(data: Buffer): Promise<Buffer>
  /** Exactly `length` bytes, or it throws; never allocates more than a few MiB whatever the frame says. */
  decompress(frame: Buffer, length: number): Promise<Buffer>
}

export async function loadZstd(): Promise<Zstd> {
  return checked(nodeZstd() ?? (await nativeZstd()) ?? (await wasmZstd()))
}

/**
 * Every frame is decoded again before anybody gets it: a compressor, processor or memory that errs is found while the
 * data is still there, and not when it is restored.
 */
export function checked(zstd: Zstd): Zstd {
  const decompress = async (frame: Buffer, length: number): Promise<Buffer> => {
    const bound = decodedBound(frame)
    if (bound === undefined || bound < length) throw new Error('not a whole zstd frame')
    const data = await zstd.decompress(frame, length)
    if (data.length !== length) throw new Error(`a frame of ${length} bytes decoded to ${data.length}`)
    return data
  }
  return {
    name: zstd.name,
    decompress,
    async compress(data) {
      const frame = await zstd.compress(data)
      const back = await decompress(frame, data.length).catch(() => undefined)
      if (back?.equals(data) === true) return frame
      throw new ImgError(
        'CACHE_DAMAGED',
        `zstd (${zstd.name}) made a frame that does not decode to its data`,
        {
          hint: "run the command again; if it happens again, test this machine's memory",
        },
      )
    },
  }
}

const level = 3

/** From Node 22.15 on; not in the types of Node 20. */
interface ZstdOfNode {
  readonly zstdCompress?: (data: Buffer, options: object, done: Done) => void
  readonly zstdDecompress?: (data: Buffer, options: object, done: Done) => void
  readonly constants: { readonly ZSTD_c_compressionLevel?: number }
}
type Done = (error: Error | null, result: Buffer) => void

export function nodeZstd(): Zstd | undefined {
  const { zstdCompress, zstdDecompress, constants } = zlib as unknown as ZstdOfNode
  if (zstdCompress === undefined || zstdDecompress === undefined) return undefined
  const params = { [constants.ZSTD_c_compressionLevel ?? 100]: level }
  return {
    name: 'node',
    compress: (data) =>
      promised((done) => zstdCompress(data, { params, chunkSize: wholeOf(data.length) }, done)),
    decompress: (frame, length) =>
      promised((done) =>
        zstdDecompress(frame, { maxOutputLength: length + 1, chunkSize: wholeOf(length) }, done),
      ),
  }
}

/** Bytes of an output in one piece: with 16 KiB at a time, as usual, it takes twice as long. Zlib wants 64 at least. */
const wholeOf = (length: number): number => Math.max(64, length + 1)

export async function nativeZstd(): Promise<Zstd | undefined> {
  try {
    const { Encoder, Decoder } = await import('@toondepauw/node-zstd')
    const [encoder, decoder] = [new Encoder(level), new Decoder()]
    return {
      name: 'native',
      compress: (data) => encoder.encode(data),
      decompress: (frame) => decoder.decode(frame),
    }
  } catch {
    // An optional dependency: there is no binary for this machine.
    return undefined
  }
}

export async function wasmZstd(): Promise<Zstd> {
  const { compress, decompress } = await import('./zstd-wasm.ts')
  return {
    name: 'wasm',
    compress: async (data) => buffer(compress(data, level)),
    decompress: async (frame, length) => buffer(decompress(frame, { defaultHeapSize: Math.max(length, 1) })),
  }
}

function promised(run: (done: Done) => void): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    run((error, result) => {
      if (error === null) resolve(result)
      else reject(error)
    })
  })
}

function buffer({ buffer: bytes, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(bytes, byteOffset, byteLength)
}
