import { existsSync, linkSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { collectTrees, measureTrees } from '../../../tasks/run/collect-trees.ts'
import { openTreeLocks, treePath } from '../../../tasks/run/tree-locks.ts'
import { tempFolder } from '../../rig/temp-folder.ts'

const [used, unused, open] = ['a', 'b', 'c'].map((digit) => digit.repeat(64)) as [string, string, string]

const cache = (): string =>
  tempFolder({
    [`tools/${used}/bin/sh`]: 'x'.repeat(5000),
    [`tools/${unused}/bin/sh`]: 'x'.repeat(5000),
    [`tools/${open}/bin/sh`]: 'x',
    [`tools/${open}.incoming/bin/sh`]: 'x',
    [`tools/${unused}.incoming/bin/sh`]: 'x',
    [`tools/${unused}.session/log`]: 'x',
    [`tools/${'d'.repeat(64)}.removed/bin/sh`]: 'x',
  })

const folders = (dir: string): readonly string[] => readdirSync(join(dir, 'tools')).toSorted()

test('trees no kept build uses and nobody has open go, and what killed processes left', async () => {
  const dir = cache()
  const locks = openTreeLocks()
  await locks.hold(dir, open)
  const wanted = new Set([used])
  const rehearsed = await collectTrees(dir, { wanted, dryRun: true })
  expect(rehearsed.map(({ tree, keep, reason }) => [tree.replaceAll(/(.)\1+/g, '$1'), keep, reason])).toEqual(
    [
      ['a', true, 'a kept build uses it'],
      ['b', false, 'no kept build uses it'],
      ['b.incoming', false, 'left by a process that was killed'],
      ['b.sesion', false, 'left by a process that was killed'],
      ['c', true, 'in use right now'],
      ['c.incoming', true, 'in use right now'],
      ['d.removed', false, 'left by a process that was killed'],
    ],
  )
  expect(measureTrees(dir).count).toBe(7)
  expect(await collectTrees(dir, { wanted, dryRun: false })).toEqual(rehearsed)
  expect(folders(dir)).toEqual([used, open, `${open}.incoming`, `${open}.lock`])
  await locks.close()
  await collectTrees(dir, { wanted, dryRun: false })
  expect(folders(dir)).toEqual([used])
  expect(await collectTrees(join(dir, 'none'), { wanted, dryRun: false })).toEqual([])
})

test('a file with two names is counted once', () => {
  const dir = tempFolder({ [`tools/${used}/one`]: Buffer.alloc(1_000_000, 1) })
  const before = measureTrees(dir).bytes
  expect(before).toBeGreaterThanOrEqual(1_000_000)
  linkSync(join(dir, 'tools', used, 'one'), join(dir, 'tools', used, 'two'))
  expect(measureTrees(dir)).toEqual({ count: 1, bytes: before })
})

test('whoever holds a tree has it whole, however often it is collected meanwhile', async () => {
  const dir = tempFolder()
  const path = treePath(dir, unused)
  let made = 0
  const work = async (): Promise<void> => {
    for (let round = 0; round < 25; round++) {
      const locks = openTreeLocks()
      await locks.hold(dir, unused)
      if (!existsSync(path)) {
        // As unpacking does: whole or not at all; of two at once one wins.
        const incoming = `${path}.${round}-${made++}`
        mkdirSync(incoming, { recursive: true })
        for (let file = 0; file < 20; file++) writeFileSync(join(incoming, `${file}`), '')
        try {
          renameSync(incoming, path)
        } catch {
          rmSync(incoming, { recursive: true })
        }
      }
      for (let look = 0; look < 3; look++) {
        expect(readdirSync(path)).toHaveLength(20)
        await new Promise(setImmediate)
      }
      await locks.close()
    }
  }
  const working = new AbortController()
  const collecting = async (): Promise<number> => {
    let removed = 0
    while (!working.signal.aborted) {
      const judged = await collectTrees(dir, { wanted: new Set(), dryRun: false })
      removed += judged.filter(({ keep, tree }) => !keep && tree === unused).length
      await new Promise(setImmediate)
    }
    return removed
  }
  const collected = collecting()
  await Promise.all([work(), work(), work()])
  working.abort()
  expect(await collected).toBeGreaterThan(0)
  expect(made).toBeGreaterThan(1)
})
