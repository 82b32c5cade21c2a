import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openStore, type LocalStore } from '../../cache/open-store.ts'
import type { ArtifactFile, LayerRecord } from '../../cache/store.ts'
import type { ImgError } from '../../tasks/errors.ts'
import { exampleRecord } from '../rig/example-record.ts'

let folder: string
let dir: string
let open: LocalStore[]
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'img-store-'))
  dir = join(folder, 'cache')
  open = []
})
afterEach(async () => {
  for (const store of open) await store.close()
  await rm(folder, { recursive: true, force: true })
})

const opened = async (options: { now?: () => number; disksLimit?: number } = {}): Promise<LocalStore> => {
  const store = await openStore({ dir, now: () => 0, ...options })
  open.push(store)
  return store
}
const diskOf = async (data: Uint8Array | string, name = 'disk'): Promise<string> => {
  await writeFile(join(folder, name), data)
  return join(folder, name)
}
const putDisk = async (store: LocalStore, data: Uint8Array | string): Promise<ArtifactFile> =>
  (await store.put({ 'disk.raw': await diskOf(data) }))['disk.raw']!
const refused = async (attempt: Promise<unknown>): Promise<ImgError> => {
  const outcome = await attempt.then(
    () => 'nothing was refused',
    (cause: unknown) => cause,
  )
  return outcome as ImgError
}

describe('the format', () => {
  test('is written once and read again', async () => {
    await opened()
    expect(await readFile(join(dir, 'format'), 'utf8')).toBe('img store 1\n')
    await opened()
  })

  test('of a newer img is refused, and nothing is changed', async () => {
    await mkdir(dir)
    await writeFile(join(dir, 'format'), 'img store 2\n')
    const error = await refused(openStore({ dir, now: () => 0 }))
    expect(error.code).toBe('CACHE_NEWER')
    expect(error.message).toBe(`the cache in ${dir} has format 2; this img reads 1`)
    expect(error.fields.hint).toBe('update imgfile, or set IMG_CACHE_DIR to another folder')
    expect(await readdir(dir)).toEqual(['format'])
  })

  test('that is garbage is refused', async () => {
    await mkdir(dir)
    await writeFile(join(dir, 'format'), 'img stor')
    const error = await refused(openStore({ dir, now: () => 0 }))
    expect(error.code).toBe('CACHE_DAMAGED')
    expect(error.message).toBe(`${join(dir, 'format')} does not name a store format`)
    expect(error.fields.hint).toBe(`move ${dir} away, or set IMG_CACHE_DIR to another folder`)
  })

  test('cannot be written where there is a file', async () => {
    await writeFile(dir, '')
    const error = await refused(openStore({ dir, now: () => 0 }))
    expect(error.code).toBe('CACHE_UNWRITABLE')
    expect(error.message).toBe(
      `cannot write to ${dir} while opening the cache: ENOTDIR: not a directory, open '${join(dir, 'format')}'`,
    )
    expect(error.fields.hint).toBe(
      'make the folder writable for this user, or set IMG_CACHE_DIR to another one',
    )
  })
})

test('looking up needs no lock and writes nothing', async () => {
  const store = await opened()
  await store.find('a'.repeat(64))
  await store.latest('base:trixie')
  await store.readValue('x')
  expect(await readdir(dir)).toEqual(['format'])
})

describe('what is put', () => {
  test('must be there', async () => {
    const store = await opened()
    const path = join(folder, 'missing')
    const error = await refused(store.put({ 'disk.raw': path }))
    expect(error.code).toBe('INPUT_MISSING')
    expect(error.message).toBe(
      `cannot read ${path} to store it as disk.raw: ENOENT: no such file or directory, stat '${path}'`,
    )
  })

  test('that fails leaves nothing, and the next one is stored', async () => {
    const store = await opened()
    const path = await diskOf(randomBytes(500_000))
    await refused(store.put({ 'disk.raw': path, 'other.raw': join(folder, 'missing') }))
    expect(await store.stats()).toMatchObject({ packs: 0, maps: 0 })
    expect(existsSync(join(dir, 'content-v2'))).toBe(false)
    await store.put({ 'disk.raw': path })
    expect(await store.stats()).toMatchObject({ packs: 1, maps: 1 })
  })
})

describe('a record', () => {
  test('cannot be saved without its artifact', async () => {
    const store = await opened()
    const file = await putDisk(store, 'data')
    const record = exampleRecord({ artifact: { 'disk.raw': { ...file, mapDigest: '0'.repeat(64) } } })
    const error = await refused(store.save(record))
    expect(error.code).toBe('CACHE_DAMAGED')
    expect(error.message).toBe('cannot record base:trixie: the map of disk.raw is missing')
    expect(await store.find(record.key)).toEqual({ hit: false, reason: 'not built yet' })
  })

  test('of the same tree keeps the first, of another tree takes its place', async () => {
    const store = await opened()
    const artifact = { 'disk.raw': await putDisk(store, 'data') }
    const first = exampleRecord({ artifact })
    await store.save(first)
    await store.save({ ...first, started: 5 })
    expect(await store.find(first.key)).toEqual({ hit: true, record: first })
    expect(await store.latest(first.layer)).toEqual(first)
    const other: LayerRecord = { ...first, treeDigest: '9'.repeat(64) }
    await store.save(other)
    expect(await store.find(first.key)).toEqual({ hit: true, record: other })
  })

  test('is found by another process', async () => {
    const store = await opened()
    const record = exampleRecord({ artifact: { 'disk.raw': await putDisk(store, 'data') } })
    await store.save(record)
    expect(await (await opened()).find(record.key)).toEqual({ hit: true, record })
  })
})

test('two stores on one folder find each other’s chunks', async () => {
  const [one, two] = [await opened(), await opened()]
  const data = randomBytes(300_000)
  const first = await putDisk(one, data)
  expect(await putDisk(two, data)).toEqual({ ...first, addedBytes: 0 })
})

describe('leftovers of a killed process', () => {
  test('are removed by the next one that is alone', async () => {
    const first = await opened()
    const file = await putDisk(first, randomBytes(200_000))
    for (const name of ['tmp/left', 'disks/.x.partial', 'locks/left.lock', 'writing/left']) {
      await mkdir(join(dir, name, '..'), { recursive: true })
      await writeFile(join(dir, name), 'left')
    }
    const torn = randomBytes(32).toString('hex')
    const tornPath = join(dir, 'content-v2/sha256', torn.slice(0, 2), torn.slice(2, 4), torn.slice(4))
    await mkdir(join(tornPath, '..'), { recursive: true })
    await writeFile(tornPath, 'IMGPACK1 and then the power went')
    await (await opened()).restore(file, join(folder, 'out'))
    expect(existsSync(tornPath)).toBe(true)
    await Promise.all(open.map((store) => store.close()))
    await (await opened()).restore(file, join(folder, 'out'))
    expect(existsSync(tornPath)).toBe(false)
    for (const name of ['tmp', 'disks', 'locks', 'writing', 'quarantine']) {
      expect([name, await readdir(join(dir, name))]).toEqual([name, []])
    }
  })

  test('that are whole packs are taken in', async () => {
    const store = await opened()
    const data = randomBytes(200_000)
    const file = await putDisk(store, data)
    await store.close()
    await rm(join(dir, 'footers'), { recursive: true })
    await writeFile(join(dir, 'writing/left'), '')
    expect(await putDisk(await opened(), data)).toEqual({ ...file, addedBytes: 0 })
  })
})

describe('a materialised disk', () => {
  test('is made once, read-only, and used again', async () => {
    const store = await opened()
    const data = randomBytes(100_000)
    const file = await putDisk(store, data)
    const path = await store.materialise(file)
    const before = await stat(path)
    expect(path).toBe(join(dir, 'disks', `${file.diskDigest}.raw`))
    expect(before.mode & 0o777).toBe(0o444)
    expect(await readFile(path)).toEqual(data)
    expect(await store.materialise(file)).toBe(path)
    expect(await (await opened()).materialise(file)).toBe(path)
    expect((await stat(path)).ino).toBe(before.ino)
  })

  test('that somebody wrote to is made again', async () => {
    const store = await opened()
    const data = randomBytes(100_000)
    const file = await putDisk(store, data)
    const path = await store.materialise(file)
    await chmod(path, 0o644)
    await writeFile(path, randomBytes(100_000))
    await store.materialise(file)
    expect(await readFile(path)).toEqual(data)
  })

  test('is taken over from where it was built', async () => {
    const store = await opened()
    const data = randomBytes(100_000)
    const path = await diskOf(data)
    const { ino } = await stat(path)
    const file = (await store.put({ 'disk.raw': path }))['disk.raw']!
    await store.adopt(path, file)
    expect(existsSync(path)).toBe(false)
    const adopted = await store.materialise(file)
    expect((await stat(adopted)).ino).toBe(ino)
    expect(await store.materialiseBase(file)).toEqual([adopted])
  })

  test('is not taken over when it changed since it was put', async () => {
    const store = await opened()
    const data = randomBytes(100_000)
    const file = await putDisk(store, data)
    const path = await diskOf(randomBytes(100_000))
    await utimes(path, 1, 1)
    await store.adopt(path, file)
    expect(existsSync(path)).toBe(true)
    expect(await readFile(await store.materialise(file))).toEqual(data)
  })

  test('makes room when it was not used for longest and nobody holds it', async () => {
    let time = 1_000_000
    const options = { now: () => (time += 1000), disksLimit: 250_000 }
    const [store, other] = [await opened(options), await opened(options)]
    const files: ArtifactFile[] = []
    for (let number = 0; number < 4; number++) files.push(await putDisk(store, randomBytes(100_000)))
    const paths: string[] = []
    for (const file of files.slice(0, 2)) paths.push(await other.materialise(file))
    paths.push(await store.materialise(files[2]!))
    expect(paths.map((path) => existsSync(path))).toEqual([true, true, true])
    await other.close()
    await store.materialise(files[1]!)
    await store.materialise(files[3]!)
    expect(paths.map((path) => existsSync(path))).toEqual([false, true, true])
  })
})
