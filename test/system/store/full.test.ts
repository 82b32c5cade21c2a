// A file system that is full at any point of storing: one clear error, nothing half, and it works again with space.

import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openStore, type LocalStore } from '../../../cache/open-store.ts'
import type { ImgError } from '../../../tasks/errors.ts'
import { runProgram } from '../../../tasks/run/process.ts'
import { exampleRecord } from '../../rig/example-record.ts'

let folder: string
let small: string
let store: LocalStore | undefined
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'img-full-'))
  small = join(folder, 'small')
  await mkdir(small)
})
afterEach(async () => {
  await store?.close()
  store = undefined
  await runProgram(['umount', small])
  await rm(folder, { recursive: true, force: true })
})

const run = async (...argv: readonly string[]): Promise<void> => {
  const { exitCode, stderr } = await runProgram(argv)
  expect([argv.join(' '), exitCode, stderr]).toEqual([argv.join(' '), 0, ''])
}
const diskOf = async (bytes: number): Promise<{ readonly path: string; readonly data: Buffer }> => {
  const data = randomBytes(bytes)
  await writeFile(join(folder, 'disk'), data)
  return { path: join(folder, 'disk'), data }
}

const full = /^DISK_FULL: no space left while (storing disk\.raw|opening the cache): \d+ MiB free in \//
const eitherWay = new RegExp(`${full.source}|^stored$`)

describe.skipIf(process.getuid?.() !== 0)('with no space left', () => {
  test.each(Array.from({ length: 17 }, (_, step) => 40 + step * 24))('for more than %i KiB', async (kib) => {
    await run('mount', '-t', 'tmpfs', '-o', `size=${kib}k`, 'img-test', small)
    const dir = join(small, 'cache')
    const { path, data } = await diskOf(300_000)
    store = await openStore({ dir, now: () => 0 })
    const error = (await store.put({ 'disk.raw': path }).catch((cause: unknown) => cause)) as ImgError
    // Somewhere above the disk's own size it fits.
    const outcome = error instanceof Error ? `${error.code}: ${error.message}` : 'stored'
    expect(outcome).toMatch(kib < 300 ? full : kib < 400 ? eitherWay : /^stored$/)
    expect(await listed(join(dir, 'tmp'))).toEqual([])
    expect(await listed(join(dir, 'writing'))).toEqual([])
    expect(await store.verify({ readData: true })).toEqual([])

    await run('mount', '-o', 'remount,size=8m', small)
    const artifact = await store.put({ 'disk.raw': path })
    await store.save(exampleRecord({ artifact }))
    await store.restore(artifact['disk.raw']!, join(folder, 'out'))
    expect((await readFile(join(folder, 'out'))).equals(data)).toBe(true)
    expect(await store.verify({ readData: true })).toEqual([])
  })

  test.each([4, 8, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22])(
    'for more than %i files and folders',
    async (inodes) => {
      await run('mount', '-t', 'tmpfs', '-o', `size=8m,nr_inodes=${inodes}`, 'img-test', small)
      store = await openStore({ dir: join(small, 'cache'), now: () => 0 })
      const { path } = await diskOf(300_000)
      const error = (await store.put({ 'disk.raw': path }).catch((cause: unknown) => cause)) as ImgError
      expect(error.code).toBe('DISK_FULL')
      await run('mount', '-o', 'remount,nr_inodes=1000', small)
      expect(await store.verify({ readData: true })).toEqual([])
      expect((await store.put({ 'disk.raw': path }))['disk.raw']!.size).toBe(300_000)
    },
  )

  test('on ext4, again and again, what was recorded before stays', async () => {
    const image = join(folder, 'small.img')
    await run('truncate', '-s', '16M', image)
    await run('mkfs.ext4', '-q', image)
    await run('mount', '-o', 'loop', image, small)
    store = await openStore({ dir: join(small, 'cache'), now: () => 0 })
    const onExt4 = store
    const outcomes: string[] = []
    while (outcomes.filter((outcome) => outcome !== 'stored').length < 3) {
      const { path } = await diskOf(900_000)
      const key = outcomes.length.toString(16).padStart(64, '0')
      const storing = onExt4
        .put({ 'disk.raw': path })
        .then((artifact) => onExt4.save(exampleRecord({ key, artifact })))
      const code = await storing.then(
        () => 'stored',
        (cause: unknown) => (cause as ImgError).code,
      )
      const found = await store.find(key)
      outcomes.push(found.hit ? code : `${code}, ${found.reason}`)
    }
    const refusals = outcomes.filter((outcome) => outcome !== 'stored')
    expect(refusals).toEqual(Array.from({ length: 3 }, () => 'DISK_FULL, not built yet'))
    expect(await store.verify({ readData: true })).toEqual([])
    const { records } = await store.stats()
    expect(records).toBeGreaterThan(5)
    expect(records).toBe(outcomes.length - 3)
  })

  test('for a restore: the target is as it was', async () => {
    await run('mount', '-t', 'tmpfs', '-o', 'size=200k', 'img-test', small)
    store = await openStore({ dir: join(folder, 'cache'), now: () => 0 })
    const { path } = await diskOf(300_000)
    const artifact = await store.put({ 'disk.raw': path })
    await writeFile(join(small, 'out'), 'before')
    const attempt = store.restore(artifact['disk.raw']!, join(small, 'out'))
    const error = (await attempt.catch((cause: unknown) => cause)) as ImgError
    expect(error.code).toBe('DISK_FULL')
    expect(await readdir(small)).toEqual(['out'])
    expect(await readFile(join(small, 'out'), 'utf8')).toBe('before')
  })
})

async function listed(path: string): Promise<readonly string[]> {
  return existsSync(path) ? readdir(path) : []
}
