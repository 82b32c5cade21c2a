// Compresses blocks one after the other in one stream, so that liblzma's threads work on several, and cuts the
// stream into its blocks again. A block's bytes do not depend on its neighbours.

import { webcrypto } from 'node:crypto'
import type { Transform } from 'node:stream'
import { createXzDecoder, createXzEncoder, type XzEncoderOptions } from './xz.ts'
import {
  parseXzBlockHeader,
  renderXzEnd,
  xzBlockHeaderSize,
  XzError,
  xzStreamHeader,
  type XzBlockSizes,
} from './xz-container.ts'

/**
 * Yields one compressed block for each given, in order. Each is `blockSize` long, only the last may be shorter. The
 * next is asked for when a given one may be overwritten.
 */
export async function* compressXzBlocks(
  blocks: AsyncIterable<Buffer>,
  options: XzEncoderOptions,
): AsyncGenerator<Buffer> {
  const encoder = await createXzEncoder(options)
  const fed = feed(encoder, blocks)
  // A reader that ends early destroys the encoder, and that is no failure of its own.
  fed.catch(() => undefined)
  yield* cutXzBlocks(encoder)
  await fed
}

/** The blocks of a whole stream. */
export async function* cutXzBlocks(stream: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let [rest, length, wanted] = [Buffer.alloc(0), 0, xzStreamHeader.length]
  let more: Buffer[] = []
  let began = false
  for await (const chunk of stream) {
    more.push(chunk)
    length += chunk.length
    if (length < wanted) continue
    rest = Buffer.concat([rest, ...more])
    more = []
    if (!began) rest = rest.subarray(wanted)
    began = true
    for (wanted = blockLength(rest); rest.length >= wanted; wanted = blockLength(rest)) {
      yield rest.subarray(0, wanted)
      rest = rest.subarray(wanted)
    }
    length = rest.length
  }
  if (wanted !== Infinity) throw new XzError('a stream ends before its index')
}

/** sha256 of what a block decompresses to. Throws XzError for a damaged one. */
export async function hashXzBlock(block: Buffer): Promise<string> {
  const sizes = checkXzBlock(block)
  const decoder = await createXzDecoder()
  decoder.end(Buffer.concat([xzStreamHeader, block, renderXzEnd([sizes])]))
  const chunks: Buffer[] = []
  try {
    for await (const chunk of decoder) chunks.push(chunk as Buffer)
  } catch (cause) {
    throw new XzError(`a block does not decompress: ${(cause as Error).message}`, { cause })
  }
  return hashBytes(Buffer.concat(chunks))
}

/** Off the main thread. */
export async function hashBytes(bytes: Buffer): Promise<string> {
  return Buffer.from(await webcrypto.subtle.digest('SHA-256', bytes)).toString('hex')
}

/** Throws XzError when the bytes are not exactly one block, as far as its header tells. */
export function checkXzBlock(block: Buffer): XzBlockSizes {
  const sizes = parseXzBlockHeader(block)
  if (sizes.total !== block.length)
    throw new XzError(`a block has ${block.length} bytes instead of ${sizes.total}`)
  return sizes
}

/** As far as the bytes tell how many are wanted; what follows the last block never ends. */
function blockLength(bytes: Buffer): number {
  if (bytes.length === 0) return 1
  if (bytes[0] === 0) return Infinity
  const header = xzBlockHeaderSize(bytes)
  return bytes.length < header ? header : parseXzBlockHeader(bytes).total
}

async function feed(encoder: Transform, blocks: AsyncIterable<Buffer>): Promise<void> {
  try {
    for await (const block of blocks) {
      await new Promise<void>((resolve, reject) => {
        encoder.once('close', resolve)
        encoder.write(block, (error) => {
          encoder.off('close', resolve)
          if (error === null || error === undefined) resolve()
          else reject(error)
        })
      })
      if (encoder.destroyed) return
    }
    encoder.end()
  } catch (error) {
    encoder.destroy(error as Error)
    throw error
  }
}
