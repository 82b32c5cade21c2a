import { readdirSync, readFileSync, renameSync, utimesSync, writeFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openStatCache, type StatCache } from '../../../tasks/run/stat-cache.ts'
import { tempFolder } from '../../rig/temp-folder.ts'

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const later = (): number => Date.now() + 10_000

test('a file is hashed once, then known by its stat, in the next process too', async () => {
  const root = tempFolder({ 'a b\n"c"': 'one', empty: '' })
  const cacheDir = tempFolder()
  const path = join(root, 'a b\n"c"')
  const first = open(root, cacheDir)
  expect(await first.digest(path)).toBe(sha256('one'))
  expect(await first.digest(join(root, 'empty'))).toBe(sha256(''))
  expect(await first.digest(path)).toBe(sha256('one'))
  expect(first.counts).toEqual({ hashed: 2, remembered: 1 })
  first.save()
  const second = open(root, cacheDir)
  expect(await second.digest(path)).toBe(sha256('one'))
  expect(second.counts).toEqual({ hashed: 0, remembered: 1 })
})

test('a file changed within two seconds of being hashed is hashed again', async () => {
  const root = tempFolder({ a: 'one' })
  const stats = open(root, tempFolder(), Date.now)
  await stats.digest(join(root, 'a'))
  await stats.digest(join(root, 'a'))
  expect(stats.counts).toEqual({ hashed: 2, remembered: 0 })
})

test('a file with a time in the future is never known by its stat', async () => {
  const root = tempFolder({ a: 'one' })
  utimesSync(join(root, 'a'), new Date(), new Date(later() + 1000))
  const stats = open(root, tempFolder(), later)
  await stats.digest(join(root, 'a'))
  await stats.digest(join(root, 'a'))
  expect(stats.counts).toEqual({ hashed: 2, remembered: 0 })
})

test('other content of the same size and modification time is seen, also when it was moved there', async () => {
  const root = tempFolder({ a: 'one' })
  const path = join(root, 'a')
  const time = new Date(1_000_000)
  utimesSync(path, time, time)
  const stats = open(root, tempFolder())
  expect(await stats.digest(path)).toBe(sha256('one'))
  writeFileSync(path, 'two')
  utimesSync(path, time, time)
  expect(await stats.digest(path)).toBe(sha256('two'))
  writeFileSync(`${path}.new`, 'six')
  utimesSync(`${path}.new`, time, time)
  renameSync(`${path}.new`, path)
  expect(await stats.digest(path)).toBe(sha256('six'))
  expect(stats.counts).toEqual({ hashed: 3, remembered: 0 })
})

test('damage in what is kept costs a reading, not a wrong digest', async () => {
  const root = tempFolder({ a: 'one', b: 'two' })
  const cacheDir = tempFolder()
  const first = open(root, cacheDir)
  await first.digest(join(root, 'a'))
  await first.digest(join(root, 'b'))
  first.save()
  const [name = ''] = readdirSync(join(cacheDir, 'stat'))
  const file = join(cacheDir, 'stat', name)
  writeFileSync(file, readFileSync(file, 'utf8').slice(1))
  const second = open(root, cacheDir)
  expect(await second.digest(join(root, 'a'))).toBe(sha256('one'))
  expect(await second.digest(join(root, 'b'))).toBe(sha256('two'))
  expect(second.counts).toEqual({ hashed: 1, remembered: 1 })
})

test('projects do not share, and nothing is written when nothing was learnt', async () => {
  const root = tempFolder({ a: 'one' })
  const cacheDir = tempFolder()
  const stats = open(root, cacheDir)
  stats.save()
  expect(readdirSync(cacheDir)).toEqual([])
  await stats.digest(join(root, 'a'))
  stats.save()
  const other = open(tempFolder(), cacheDir)
  await other.digest(join(root, 'a'))
  expect(other.counts).toEqual({ hashed: 1, remembered: 0 })
})

const open = (root: string, cacheDir: string, now: () => number = later): StatCache =>
  openStatCache({ root, cacheDir, now })
