import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { bytesLeft, watchFullDisk } from '../../../tasks/backends/full-disk-watch.ts'
import { runTool, type Build } from '../../../tasks/backends/namespace-build.ts'
import { makeFolders } from '../../../tasks/backends/namespace-mounts.ts'
import type { NamespaceSession } from '../../../tasks/backends/namespace-session.ts'
import { testContext } from '../../rig/run-context.ts'
import { tempFolder } from '../../rig/temp-folder.ts'

const megabyte = 1_000_000

const talkAndStop: NamespaceSession['run'] = (_argv, command) => {
  command?.onOutput?.('I: running apt-get update...\n', 'stderr')
  return new Promise(() => undefined)
}

const lost = (): number => {
  throw new Error('gone')
}

/** Whether a watch with a patience of 5 looks has enough within 40. */
async function watched(left: () => number, talks = false): Promise<boolean> {
  let looks = 0
  let giveUp: ((value: false) => void) | undefined
  const lookedEnough = new Promise<false>((resolve) => (giveUp = resolve))
  const look = async (): Promise<number> => {
    looks += 1
    if (looks === 40) giveUp?.(false)
    if (talks) watch.heard()
    return left()
  }
  const watch = watchFullDisk({ directory: '/', uid: 0 }, { looks: 5, everyMs: 1, freeBytes: look })
  const stuck = await Promise.race([watch.stuck, lookedEnough])
  watch.close()
  return stuck
}

describe('a program that stands still', () => {
  test('on a disk with nothing left is stuck', async () => {
    expect(await watched(() => 6 * megabyte)).toBe(true)
  })

  test('on a disk with space left is not', async () => {
    expect(await watched(() => 100 * megabyte)).toBe(false)
  })

  test('is not while it writes', async () => {
    let left = 10 * megabyte
    expect(await watched(() => (left -= 4096))).toBe(false)
  })

  test('is not while it talks', async () => {
    expect(await watched(() => megabyte, true)).toBe(false)
  })

  test('where the folder cannot be looked at is not', async () => {
    expect(await watched(lost)).toBe(false)
  })
})

test('what a filesystem keeps for root is left for root only', () => {
  const nearlyFull = { blocks: 1000, bfree: 50, bavail: 0, bsize: 4096 }
  expect(bytesLeft(nearlyFull, 0)).toBe(50 * 4096)
  expect(bytesLeft(nearlyFull, 1000)).toBe(0)
})

test('a filesystem without sizes is never full', () => {
  expect(bytesLeft({ blocks: 0, bfree: 0, bavail: 0, bsize: 4096 }, 0)).toBe(Infinity)
})

test('a build whose program is stuck says that the disk is full, and what the program said last', async () => {
  const work = join(tempFolder(), 'work')
  mkdirSync(work)
  const build: Build = {
    work: { layer: 'base:a', directory: work, log: join(work, 'log') } as Build['work'],
    context: testContext(),
    session: { run: talkAndStop } as unknown as NamespaceSession,
    folders: makeFolders(work),
    epoch: 0,
    cut: 0,
    fullDisk: { looks: 5, everyMs: 1, freeBytes: async () => megabyte },
  }
  await expect(runTool(build, ['mmdebstrap'], { what: 'mmdebstrap trixie' })).rejects.toMatchObject({
    code: 'DISK_FULL',
    message: 'layer base:a: no space left for mmdebstrap trixie',
    fields: { path: work, output: 'I: running apt-get update...' },
  })
})
