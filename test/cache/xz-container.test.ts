import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  parseXzBlockHeader,
  renderXzEnd,
  xzBlockHeaderSize,
  xzStreamHeader,
} from '../../cache/xz-container.ts'
import { runProgram } from '../../tasks/run/process.ts'
import { tempFolder } from '../rig/temp-folder.ts'

test('a stream without blocks is what xz makes of nothing', async () => {
  const folder = tempFolder({ empty: '' })
  const { exitCode } = await runProgram(['xz', '--keep', 'empty'], { cwd: folder })
  expect(exitCode).toBe(0)
  const { stdout } = await runProgram(['od', '-An', '-tx1', '-v', 'empty.xz'], { cwd: folder })
  expect(Buffer.concat([xzStreamHeader, renderXzEnd([])]).toString('hex')).toBe(stdout.replaceAll(/\s/g, ''))
})

test('the index is a multiple of four bytes and the footer says how long it is', () => {
  const size = fc.integer({ min: 1, max: 2 ** 45 })
  fc.assert(
    fc.property(fc.array(fc.record({ total: size, unpadded: size, uncompressed: size })), (blocks) => {
      const end = renderXzEnd(blocks)
      const index = end.length - 12
      expect(index % 4).toBe(0)
      expect((end.readUInt32LE(index + 4) + 1) * 4).toBe(index)
      expect(end.subarray(-2).toString()).toBe('YZ')
    }),
  )
})

test('a header is refused when it is cut, damaged, or without sizes', () => {
  // Header of the first block `xz --threads=2 --block-size=1048576` made of a program.
  const header = Buffer.from('03c0c5d51380804021011c00e696beae', 'hex')
  expect(xzBlockHeaderSize(header)).toBe(16)
  expect(parseXzBlockHeader(header)).toEqual({ total: 322_272, unpadded: 322_269, uncompressed: 1_048_576 })
  expect(() => parseXzBlockHeader(header.subarray(0, 8))).toThrow('a block header is damaged')
  for (let bit = 8; bit < 128; bit++) {
    const flipped = Buffer.from(header)
    flipped[bit >> 3] = flipped[bit >> 3]! ^ (1 << (bit & 7))
    expect(() => parseXzBlockHeader(flipped)).toThrow('a block header is damaged')
  }
  const sizeless = Buffer.from('0200210116000000742fe5a3', 'hex')
  expect(() => parseXzBlockHeader(sizeless)).toThrow('a block header does not say the sizes of its block')
  expect(() => xzBlockHeaderSize(Buffer.of(0))).toThrow('there is no block')
})
