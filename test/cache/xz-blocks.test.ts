import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { compressXzBlocks, cutXzBlocks, hashBytes, hashXzBlock } from '../../cache/xz-blocks.ts'
import { renderXzEnd, xzStreamHeader } from '../../cache/xz-container.ts'

const blockSize = 128 * 1024
const options = { preset: 1, blockSize, threads: 2 }

async function* each(items: readonly Buffer[]): AsyncGenerator<Buffer> {
  for (const item of items) yield await Promise.resolve(item)
}

async function* failing(): AsyncGenerator<Buffer> {
  yield await Promise.resolve(inputs[0]!)
  throw new Error('the disk is gone')
}

async function collect(blocks: AsyncIterable<Buffer>): Promise<Buffer[]> {
  const all: Buffer[] = []
  for await (const block of blocks) all.push(block)
  return all
}

const inputs: readonly Buffer[] = [
  randomBytes(blockSize),
  Buffer.alloc(blockSize),
  Buffer.alloc(blockSize, 'the end of a stream is YZ. '),
  randomBytes(77),
]

test('a block alone and among others has the same bytes, whatever the number of threads', async () => {
  const together = await collect(compressXzBlocks(each(inputs), options))
  expect(together).toHaveLength(inputs.length)
  for (const [place, input] of inputs.entries()) {
    const alone = await collect(compressXzBlocks(each([input]), { ...options, threads: 1 }))
    expect(alone).toEqual([together[place]])
    expect(await hashXzBlock(alone[0]!)).toBe(await hashBytes(input))
  }
})

test('a flipped bit anywhere in a block is noticed', async () => {
  const [block] = await collect(compressXzBlocks(each([inputs[2]!]), options))
  const digest = await hashBytes(inputs[2]!)
  for (let bit = 0; bit < block!.length * 8; bit += 7) {
    const damaged = Buffer.from(block!)
    damaged[bit >> 3] = damaged[bit >> 3]! ^ (1 << (bit & 7))
    const found = await hashXzBlock(damaged).catch((error: Error) => error.name)
    expect(found).toBe('XzError')
  }
  expect(await hashXzBlock(block!)).toBe(digest)
})

test('a stream cut anywhere before its index is an error, one cut in pieces is not', async () => {
  const block = (await collect(compressXzBlocks(each([inputs[3]!]), options)))[0]!
  const stream = Buffer.concat([xzStreamHeader, block, block, renderXzEnd([])])
  const pieces = [...stream].map((byte) => Buffer.of(byte))
  expect(await collect(cutXzBlocks(each(pieces)))).toEqual([block, block])
  for (let length = 0; length <= xzStreamHeader.length + 2 * block.length; length++) {
    await expect(collect(cutXzBlocks(each([stream.subarray(0, length)])))).rejects.toThrow(
      'a stream ends before its index',
    )
  }
})

test('a reader may stop early, and an error of the source reaches it', async () => {
  for await (const block of compressXzBlocks(each(inputs), options)) {
    expect(block.length).toBeGreaterThan(blockSize)
    break
  }
  await expect(collect(compressXzBlocks(failing(), options))).rejects.toThrow('the disk is gone')
})
