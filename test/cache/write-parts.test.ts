import type { FileHandle } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { writeParts } from '../../cache/write-parts.ts'

const parts = [Buffer.from('abc'), Buffer.from('defg'), Buffer.from('h')]

/** A file that takes so many bytes at each call. */
function reluctant(each: number): { readonly handle: FileHandle; readonly bytes: Buffer } {
  const bytes = Buffer.alloc(12, '.')
  const take = (data: Buffer, position: number): { bytesWritten: number } => ({
    bytesWritten: data.copy(bytes, position, 0, each),
  })
  const handle = {
    writev: async (all: readonly Buffer[], position: number) => take(Buffer.concat(all), position),
    write: async (...[data, offset, length, position]: [Buffer, number, number, number]) =>
      take(data.subarray(offset, offset + length), position),
  }
  return { handle: handle as unknown as FileHandle, bytes }
}

test.each([1, 3, 5, 8])('all is written where a call takes %d bytes', async (each) => {
  const { handle, bytes } = reluctant(each)
  await writeParts(handle, parts, 2)
  expect(bytes.toString()).toBe('..abcdefgh..')
})

test('nothing is asked of the file for nothing', async () => {
  const { handle, bytes } = reluctant(0)
  await writeParts(handle, [], 0)
  expect(bytes.toString()).toBe('............')
})
