import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openLock, shareLock, tryLock, withKeyLock } from '../../cache/locks.ts'
import type { ImgError } from '../../tasks/errors.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'img-locks-'))
})
afterEach(() => rm(folder, { recursive: true }))

const key = 'a'.repeat(64)

test('one at a time under one key; whoever waits is told who holds it', async () => {
  const order: string[] = []
  let release!: () => void
  let locked!: () => void
  const holding = new Promise<void>((resolve) => (locked = resolve))
  const first = withKeyLock({ folder, key }, {}, async () => {
    locked()
    await new Promise<void>((resolve) => (release = resolve))
    order.push('first')
  })
  await holding
  const holders: (number | undefined)[] = []
  const onWait = ({ pid }: { readonly pid: number | undefined }): void => {
    holders.push(pid)
    release()
  }
  const second = withKeyLock({ folder, key }, { onWait }, async () => order.push('second'))
  await Promise.all([first, second])
  expect(order).toEqual(['first', 'second'])
  expect(holders).toEqual([process.pid])
})

test('other keys are not waited for, whatever they contain', async () => {
  const keys = ['b'.repeat(64), '../../escape', 'disk:x', '']
  const nested = async (left: readonly string[]): Promise<number> => {
    const [next, ...rest] = left
    if (next === undefined) return 0
    return 1 + (await withKeyLock({ folder, key: next }, {}, () => nested(rest)))
  }
  expect(await nested(keys)).toBe(4)
})

test('a failure releases the lock', async () => {
  const failing = withKeyLock({ folder, key }, {}, () => Promise.reject(new Error('no')))
  await expect(failing).rejects.toThrow('no')
  expect(await withKeyLock({ folder, key }, {}, async () => 'in')).toBe('in')
})

test('waiting can be interrupted', async () => {
  const abort = new AbortController()
  const outcome = await withKeyLock({ folder, key }, {}, async () => {
    const options = { onWait: () => abort.abort(), signal: abort.signal }
    return withKeyLock({ folder, key }, options, async () => 'in').catch((cause: unknown) => cause)
  })
  expect((outcome as ImgError).code).toBe('INTERRUPTED')
  expect((outcome as ImgError).message).toBe('interrupted while waiting for a lock')
})

test('the holder’s pid stands in the file', async () => {
  await withKeyLock({ folder, key }, {}, async () => {
    expect(await readFile(join(folder, `${key}.lock`), 'utf8')).toBe(`${process.pid}\n`)
  })
})

test('an exclusive lock that is shared lets sharers in and nobody alone', async () => {
  const [one, two] = [await openLock(join(folder, 'lock')), await openLock(join(folder, 'lock'))]
  expect(await tryLock(one, 'exclusive')).toBe(true)
  expect(await tryLock(two, 'shared')).toBe(false)
  await shareLock(one)
  expect(await tryLock(two, 'exclusive')).toBe(false)
  expect(await tryLock(two, 'shared')).toBe(true)
  await one.close()
  expect(await tryLock(two, 'exclusive')).toBe(true)
  await two.close()
})
