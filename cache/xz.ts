// The only file that imports lzma-native; loaded only where an .xz file is met.

import type { Transform } from 'node:stream'

export interface XzEncoderOptions {
  /** 0 to 9, as the options of `xz`. */
  readonly preset: number
  /** Bytes before compression after which a block ends. */
  readonly blockSize: number
  /** At 9 each takes up to 700 MiB. */
  readonly threads: number
}

export async function createXzDecoder(): Promise<Transform> {
  const { default: lzma } = await import('lzma-native')
  return lzma.createDecompressor()
}

/** The bytes of `xz --threads=N --block-size=B`: each block's header says its sizes, whatever the number of threads. */
export async function createXzEncoder(options: XzEncoderOptions): Promise<Transform> {
  const { default: lzma } = await import('lzma-native')
  return lzma.createStream('easyEncoder', { ...options, check: lzma.CHECK_CRC64 })
}

/** Of the encoder: another one may write other bytes. */
export async function resolveXzVersion(): Promise<string> {
  const { default: lzma } = await import('lzma-native')
  return lzma.versionString()
}
