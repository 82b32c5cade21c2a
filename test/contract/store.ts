// What every store promises, whatever is behind it. A new store calls this with a way to open an empty one.

import { randomBytes } from 'node:crypto'
import { mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ArtifactFile, Store } from '../../cache/store.ts'
import { exampleRecord } from '../rig/example-record.ts'

export interface OpenedStore {
  readonly store: Store
  readonly close: () => Promise<void>
}

export function describeStore(name: string, openEmpty: (folder: string) => Promise<OpenedStore>): void {
  describe(`${name} keeps the store's contract`, () => {
    let folder: string
    let opened: OpenedStore
    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'img-store-'))
      opened = await openEmpty(join(folder, 'store'))
    })
    afterEach(async () => {
      await opened.close()
      await rm(folder, { recursive: true, force: true })
    })

    const roundTrip = async (path: string): Promise<ArtifactFile> => {
      const { 'disk.raw': file } = await opened.store.put({ 'disk.raw': path })
      await opened.store.restore(file!, join(folder, 'restored'))
      return file!
    }
    const restored = (): Promise<Buffer> => readFile(join(folder, 'restored'))
    const write = async (data: Uint8Array): Promise<string> => {
      await writeFile(join(folder, 'disk'), data)
      return join(folder, 'disk')
    }

    test.each([
      ['an empty file', 0],
      ['one byte', 1],
      ['a tail shorter than a block', 3 * 4096 + 17],
      ['exactly one cell', 1024 * 1024],
      ['cells and a tail', 3 * 1024 * 1024 + 4097],
    ])('%s comes back as it was', async (_, size) => {
      const data = randomBytes(size)
      // A last block of zeros would not be stored.
      data.fill(1, Math.max(0, size - 1))
      const file = await roundTrip(await write(data))
      expect((await restored()).equals(data)).toBe(true)
      expect(file).toMatchObject({ size, dataBytes: size })
    })

    test('zeros and holes are neither stored nor written', async () => {
      const data = Buffer.alloc(8 * 1024 * 1024)
      randomBytes(10_000).copy(data, 5 * 1024 * 1024 + 100)
      const file = await roundTrip(await write(data))
      expect((await restored()).equals(data)).toBe(true)
      expect(file.dataBytes).toBe(12288)
      expect((await stat(join(folder, 'restored'))).blocks * 512).toBeLessThan(64 * 1024)
    })

    test('a file of nothing but zeros needs no chunk', async () => {
      const file = await roundTrip(await write(Buffer.alloc(100_000)))
      expect((await restored()).equals(Buffer.alloc(100_000))).toBe(true)
      expect(file).toMatchObject({ dataBytes: 0, addedBytes: 0, packs: [] })
    })

    test('20 GiB with a little data at both ends', async () => {
      const size = 20 * 1024 ** 3 + 5
      const path = join(folder, 'disk')
      const [head, tail] = [randomBytes(5000), randomBytes(5)]
      await writeFile(path, head)
      const disk = await open(path, 'r+')
      await disk.write(tail, 0, tail.length, size - tail.length)
      await disk.close()
      const file = await roundTrip(path)
      const out = await open(join(folder, 'restored'), 'r')
      const [first, last] = [Buffer.alloc(6000), Buffer.alloc(6000)]
      await out.read(first, 0, 6000, 0)
      await out.read(last, 0, 6000, size - 6000)
      const { size: length, blocks } = await out.stat()
      await out.close()
      expect(length).toBe(size)
      expect(blocks * 512).toBeLessThan(64 * 1024)
      expect(first).toEqual(Buffer.concat([head, Buffer.alloc(1000)]))
      expect(last).toEqual(Buffer.concat([Buffer.alloc(5995), tail]))
      expect(file.size).toBe(size)
    }, 30_000)

    test('what is stored already adds nothing', async () => {
      const data = randomBytes(2_000_000)
      const first = await opened.store.put({ 'disk.raw': await write(data) })
      const second = await opened.store.put({ 'root.tar': await write(data) })
      expect(second['root.tar']).toEqual({ ...first['disk.raw'], addedBytes: 0 })
    })

    test('equal chunks within one file are stored once', async () => {
      const block = randomBytes(4096)
      const data = Buffer.concat(
        Array.from({ length: 100 }, () => Buffer.concat([block, Buffer.alloc(4096)])),
      )
      const file = await roundTrip(await write(data))
      expect((await restored()).equals(data)).toBe(true)
      expect(file.dataBytes).toBe(100 * 4096)
      expect(file.addedBytes).toBeLessThan(3 * 4096)
    })

    test('a small change adds little', async () => {
      const data = randomBytes(4_000_000)
      await opened.store.put({ 'disk.raw': await write(data) })
      data[2_000_000]! ^= 1
      const file = await roundTrip(await write(data))
      expect((await restored()).equals(data)).toBe(true)
      expect(file.addedBytes).toBeLessThan(600_000)
    })

    test('an artifact may have several files', async () => {
      const files = {
        kernel: randomBytes(50_000),
        'initrd.img': randomBytes(300_000),
        empty: Buffer.alloc(0),
      }
      const paths: Record<string, string> = {}
      for (const [file, data] of Object.entries(files)) {
        paths[file] = join(folder, file)
        await writeFile(paths[file], data)
      }
      const artifact = await opened.store.put(paths)
      for (const [file, data] of Object.entries(files)) {
        await opened.store.restore(artifact[file]!, join(folder, 'restored'))
        expect((await restored()).equals(data)).toBe(true)
      }
    })

    test('files put at the same time are all there', async () => {
      const all = await Promise.all(
        Array.from({ length: 4 }, async (_, number) => {
          const path = join(folder, `disk${number}`)
          const data = Buffer.concat([Buffer.alloc(200_000, 'same'), randomBytes(200_000)])
          await writeFile(path, data)
          return { data, file: (await opened.store.put({ disk: path }))['disk']! }
        }),
      )
      for (const { data, file } of all) {
        await opened.store.restore(file, join(folder, 'restored'))
        expect((await restored()).equals(data)).toBe(true)
      }
    })

    test('the disk digest is of the bytes alone', async () => {
      const data = Buffer.concat([randomBytes(70_000), Buffer.alloc(1_500_000), randomBytes(5)])
      const first = await opened.store.put({ disk: await write(data) })
      const sparse = await roundTrip(join(folder, 'disk'))
      expect(sparse.diskDigest).toBe(first['disk']!.diskDigest)
      data[0]! ^= 1
      const other = await opened.store.put({ disk: await write(data) })
      expect(other['disk']!.diskDigest).not.toBe(sparse.diskDigest)
      const longer = await opened.store.put({ disk: await write(Buffer.concat([data, Buffer.alloc(1)])) })
      expect(longer['disk']!.diskDigest).not.toBe(other['disk']!.diskDigest)
    })

    test('a file that is restored replaces what was there', async () => {
      await writeFile(join(folder, 'restored'), 'something else, longer than what comes')
      await roundTrip(await write(Buffer.from('new')))
      expect(await restored()).toEqual(Buffer.from('new'))
    })

    test('a record is found by key once it is saved', async () => {
      const artifact = await opened.store.put({ 'disk.raw': await write(randomBytes(100_000)) })
      const record = exampleRecord({ artifact })
      expect(await opened.store.find(record.key)).toEqual({ hit: false, reason: 'not built yet' })
      await opened.store.save(record)
      expect(await opened.store.find(record.key)).toEqual({ hit: true, record })
    })

    test('the latest record of a layer is the one saved last', async () => {
      const artifact = await opened.store.put({ 'disk.raw': await write(Buffer.from('a')) })
      expect(await opened.store.latest('base:trixie')).toBeUndefined()
      const first = exampleRecord({ artifact })
      const second = exampleRecord({ artifact, key: 'b'.repeat(64) })
      await opened.store.save(first)
      await opened.store.save(second)
      await opened.store.save(exampleRecord({ artifact, key: 'c'.repeat(64), layer: 'base:bookworm' }))
      expect(await opened.store.latest('base:trixie')).toEqual(second)
      expect(await opened.store.find(first.key)).toEqual({ hit: true, record: first })
    })

    test('values are read as they were written last', async () => {
      expect(await opened.store.readValue('catalog:1')).toBeUndefined()
      await opened.store.writeValue('catalog:1', 'one')
      await opened.store.writeValue('catalog:2', Buffer.from([0, 255]))
      await opened.store.writeValue('catalog:1', 'two')
      expect(await opened.store.readValue('catalog:1')).toEqual(Buffer.from('two'))
      expect(await opened.store.readValue('catalog:2')).toEqual(Buffer.from([0, 255]))
    })
  })
}
