// What every remote promises; a remote's test calls this with a way to open an empty one.

import { createHash, randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { blobName, type ReadOptions, type Remote } from '../../cache/remotes/remote.ts'

export interface RemoteTraits {
  /** Refuses what does not have the digest it is put under. */
  readonly checksDigests?: boolean
}

export function describeRemote(
  title: string,
  open: () => Promise<Remote>,
  { checksDigests = false }: RemoteTraits = {},
): void {
  describe(`${title} keeps the remotes' contract`, () => {
    test('has nothing under a name nobody wrote', async () => {
      const remote = await open()
      const name = blobName(digestOf(randomBytes(8)))
      expect(await remote.read(name, reading())).toBeUndefined()
      expect(await remote.has(name, signal)).toBe(false)
      expect(await remote.read(recordName(), reading())).toBeUndefined()
      expect(await remote.has(recordName(), signal)).toBe(false)
    })

    test.each([0, 1, 100_000, 3 * 1024 * 1024 + 7])('gives back %i bytes as they were', async (size) => {
      const remote = await open()
      const data = randomBytes(size)
      const name = blobName(digestOf(data))
      expect(await remote.create(name, data, { signal })).toBe('created')
      expect(await remote.has(name, signal)).toBe(true)
      expect(await remote.has(name, signal, size)).toBe(true)
      expect(await remote.has(name, signal, size + 1)).toBe(false)
      expect((await remote.read(name, reading()))?.equals(data)).toBe(true)
    })

    test('gives parts, and what there is of a part beyond the end', async () => {
      const remote = await open()
      const data = randomBytes(1000)
      const name = blobName(digestOf(data))
      await remote.create(name, data, { signal })
      const part = (start: number, end: number): Promise<Buffer | undefined> =>
        remote.read(name, reading({ range: { start, end } }))
      expect((await part(0, 5))?.equals(data.subarray(0, 5))).toBe(true)
      expect((await part(17, 400))?.equals(data.subarray(17, 400))).toBe(true)
      expect((await part(900, 2000))?.equals(data.subarray(900))).toBe(true)
      expect(
        await remote.read(blobName(digestOf(randomBytes(9))), reading({ range: { start: 0, end: 1 } })),
      ).toBeUndefined()
    })

    test('never replaces what is there', async () => {
      const remote = await open()
      const name = recordName()
      expect(await remote.create(name, Buffer.from('first'), { signal })).toBe('created')
      expect(await remote.create(name, Buffer.from('second'), { signal })).toBe('there')
      expect((await remote.read(name, reading()))?.toString()).toBe('first')
    })

    test.skipIf(checksDigests)('writes over what is cut short when it is told to', async () => {
      const remote = await open()
      const data = randomBytes(3000)
      const name = blobName(digestOf(data))
      await remote.create(name, data.subarray(0, 1000), { signal })
      expect(await remote.has(name, signal, data.length)).toBe(false)
      expect(await remote.create(name, data, { signal })).toBe('there')
      expect(await remote.create(name, data, { signal, replaces: true })).toBe('created')
      expect(await remote.has(name, signal, data.length)).toBe(true)
      expect((await remote.read(name, reading()))?.equals(data)).toBe(true)
    })

    test.runIf(checksDigests)('refuses a blob under the name of another', async () => {
      const remote = await open()
      const name = blobName(digestOf(Buffer.from('wanted')))
      await expect(remote.create(name, Buffer.from('other'), { signal })).rejects.toThrow('does not take')
      expect(await remote.has(name, signal)).toBe(false)
    })

    test('a record keeps what it refers to', async () => {
      const remote = await open()
      const data = randomBytes(50)
      const [name, blob] = [recordName(), blobName(digestOf(data))]
      await remote.create(blob, data, { signal })
      await remote.create(name, Buffer.from('{}'), { signal, refers: [blob] })
      expect((await remote.read(name, reading()))?.toString()).toBe('{}')
      expect((await remote.read(blob, reading()))?.equals(data)).toBe(true)
    })

    test('of many writers at once, each gets a whole thing there', async () => {
      const remote = await open()
      const data = randomBytes(200_000)
      const name = blobName(digestOf(data))
      const results = await Promise.all(
        Array.from({ length: 6 }, () => remote.create(name, data, { signal })),
      )
      expect(results).toContain('created')
      expect((await remote.read(name, reading()))?.equals(data)).toBe(true)
    })

    test('refuses more bytes than it may take', async () => {
      const remote = await open()
      const data = randomBytes(5000)
      const name = blobName(digestOf(data))
      await remote.create(name, data, { signal })
      await expect(remote.read(name, reading({ limit: 4999 }))).rejects.toMatchObject({ fault: 'answer' })
      expect(await remote.read(name, reading({ limit: 5000 }))).toHaveLength(5000)
    })

    test.each(['../outside', 'blobs/../../outside', '/etc/passwd', 'blobs//x', 'blobs/A', 'other/x'])(
      'a name that is not ours is a mistake in the program: %s',
      async (name) => {
        const remote = await open()
        await expect(remote.read(name, reading())).rejects.toThrow(`${name} is no name in a remote`)
        await expect(remote.create(name, Buffer.alloc(1), { signal })).rejects.toThrow(
          'is no name in a remote',
        )
        await expect(remote.has(name, signal)).rejects.toThrow('is no name in a remote')
      },
    )
  })
}

export const signal: AbortSignal = new AbortController().signal

export const reading = (over: Partial<ReadOptions> = {}): ReadOptions => ({
  signal,
  limit: 16 * 1024 * 1024,
  ...over,
})

export const digestOf = (data: Buffer): string => createHash('sha256').update(data).digest('hex')

export const recordName = (): string =>
  `records/main/ab/${digestOf(Buffer.from(expect.getState().currentTestName ?? ''))}/signer`
