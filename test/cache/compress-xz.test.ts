import { createHash } from 'node:crypto'
import { readFileSync, statSync, truncateSync, openSync, writeSync, closeSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { best, compressXz } from '../../cache/compress-xz.ts'
import { runProgram } from '../../tasks/run/process.ts'
import { makeMemory } from '../rig/memory.ts'
import { tempFolder } from '../rig/temp-folder.ts'

const blockSize = 64 * 1024
const small = { preset: 1, blockSize }

/** Data of `seed` at each place, in a file of `size`; the rest are holes. */
function sparseFile(
  path: string,
  size: number,
  data: readonly { at: number; seed: number; length: number }[],
): void {
  writeFileSync(path, '')
  truncateSync(path, size)
  const file = openSync(path, 'r+')
  for (const { at, seed, length } of data) {
    const bytes = createHash('shake256', { outputLength: length }).update(String(seed)).digest()
    writeSync(file, bytes.subarray(0, Math.max(0, size - at)), 0, undefined, at)
  }
  closeSync(file)
}

test('any sparse file gives the bytes of `xz -T2 --block-size`, at once or after another one', async () => {
  const place = fc.record({
    at: fc.nat({ max: 9 * blockSize }),
    seed: fc.nat({ max: 3 }),
    length: fc.integer({ min: 1, max: 2 * blockSize }),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.nat({ max: 10 * blockSize }),
      fc.array(place, { maxLength: 4 }),
      fc.array(place, { maxLength: 2 }),
      async (size, before, change) => {
        const folder = tempFolder()
        const [disk, memory] = [join(folder, 'disk'), makeMemory()]
        sparseFile(disk, size, before)
        await compressXz(disk, join(folder, 'first.xz'), { ...small, memory })
        sparseFile(disk, size, [...before, ...change])
        const later = await compressXz(disk, join(folder, 'later.xz'), { ...small, memory })
        const fresh = await compressXz(disk, join(folder, 'fresh.xz'), { ...small, memory: makeMemory() })
        const bytes = readFileSync(join(folder, 'later.xz'))
        expect(readFileSync(join(folder, 'fresh.xz')).equals(bytes)).toBe(true)
        expect(later).toEqual({ ...fresh, compressedBlocks: later.compressedBlocks })
        expect(later.compressedSize).toBe(bytes.length)
        expect(later.sha512).toBe(createHash('sha512').update(bytes).digest('hex'))
        expect(later.blocks).toBe(Math.ceil(size / blockSize))
        const own = await runProgram(['xz', '--threads=2', '-1', `--block-size=${blockSize}`, '--keep', disk])
        expect(own).toMatchObject({ exitCode: 0 })
        // xz reads an empty file as one without blocks.
        expect(readFileSync(`${disk}.xz`).equals(bytes)).toBe(true)
      },
    ),
    { numRuns: 25 },
  )
}, 60_000)

test('only blocks of new content are compressed, each once', async () => {
  const folder = tempFolder()
  const [disk, memory] = [join(folder, 'disk'), makeMemory()]
  sparseFile(disk, 1000 * blockSize, [
    { at: 0, seed: 1, length: blockSize },
    { at: 500 * blockSize, seed: 1, length: blockSize },
    { at: 999 * blockSize, seed: 2, length: blockSize },
  ])
  const first = await compressXz(disk, join(folder, '1'), { ...small, memory })
  expect(first).toMatchObject({ blocks: 1000, compressedBlocks: 3 })
  sparseFile(disk, 1000 * blockSize, [
    { at: 0, seed: 1, length: blockSize },
    { at: 700 * blockSize + 5, seed: 3, length: 1 },
  ])
  expect(await compressXz(disk, join(folder, '2'), { ...small, memory })).toMatchObject({
    blocks: 1000,
    compressedBlocks: 1,
  })
  expect(await compressXz(disk, join(folder, '3'), { ...small, memory })).toMatchObject({
    compressedBlocks: 0,
  })
})

test('what was remembered wrong, or is forgotten on the way, is compressed again', async () => {
  const folder = tempFolder()
  const [disk, memory] = [join(folder, 'disk'), makeMemory()]
  sparseFile(disk, 3 * blockSize, [{ at: 0, seed: 1, length: 3 * blockSize }])
  const first = await compressXz(disk, join(folder, '1'), { ...small, memory })
  const keys = [...memory.values.keys()]
  expect(keys).toHaveLength(3)
  memory.values.set(keys[1]!, memory.values.get(keys[1]!)!.subarray(4))
  expect(await compressXz(disk, join(folder, '2'), { ...small, memory })).toEqual({
    ...first,
    compressedBlocks: 1,
  })
  // Once read to see whether it is there, it is gone when it is wanted.
  let reads = 0
  const forgetful = {
    ...memory,
    readValue: (key: string) =>
      key === keys[2] && ++reads === 2 ? Promise.resolve(undefined) : memory.readValue(key),
  }
  expect(await compressXz(disk, join(folder, '3'), { ...small, memory: forgetful })).toEqual({
    ...first,
    compressedBlocks: 0,
  })
  expect(readFileSync(join(folder, '3')).equals(readFileSync(join(folder, '1')))).toBe(true)
})

test('a file that changes while it is compressed is refused', async () => {
  const folder = tempFolder()
  const disk = join(folder, 'disk')
  sparseFile(disk, 2 * blockSize, [{ at: 0, seed: 1, length: 2 * blockSize }])
  const changing = {
    ...makeMemory(),
    readValue: () => {
      sparseFile(disk, 2 * blockSize, [{ at: 0, seed: 2, length: 2 * blockSize }])
      return Promise.resolve(undefined)
    },
  }
  await expect(compressXz(disk, join(folder, 'to'), { ...small, memory: changing })).rejects.toMatchObject({
    code: 'INPUT_CHANGED',
    message: `block 0 of ${disk} unpacks to other bytes than were read`,
    fields: {
      path: disk,
      hint: 'make sure nothing writes to the file; if nothing does, test the memory of this machine',
    },
  })
})

test('an interruption ends it', async () => {
  const folder = tempFolder()
  const disk = join(folder, 'disk')
  sparseFile(disk, blockSize, [{ at: 0, seed: 1, length: blockSize }])
  const options = { ...small, memory: makeMemory(), signal: AbortSignal.abort() }
  await expect(compressXz(disk, join(folder, 'to'), options)).rejects.toMatchObject({
    code: 'INTERRUPTED',
    message: 'interrupted while compressing',
  })
})

test('with the settings for templates it is what xz makes with --best', async () => {
  const folder = tempFolder()
  const disk = join(folder, 'disk')
  sparseFile(disk, best.blockSize + 4096, [{ at: 1_000_000, seed: 1, length: 300_000 }])
  await compressXz(disk, join(folder, 'disk.raw.xz'), { memory: makeMemory() })
  const made = ['xz', '--threads=2', '--best', '--block-size=16777216', '--keep', disk]
  expect(await runProgram(made)).toMatchObject({ exitCode: 0 })
  expect(readFileSync(join(folder, 'disk.raw.xz')).equals(readFileSync(`${disk}.xz`))).toBe(true)
  const listed = await runProgram(['xz', '--robot', '--list', join(folder, 'disk.raw.xz')])
  expect(listed.stdout).toMatch(new RegExp(`^file\\t1\\t2\\t${statSync(`${disk}.xz`).size}\\t`, 'm'))
}, 60_000)
