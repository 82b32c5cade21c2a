import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Work } from '../../../tasks/backends/backend.ts'
import { openStandby } from '../../../tasks/backends/namespace-standby.ts'
import { testContext } from '../../rig/run-context.ts'

test('what cannot be made ready is nothing, and leaves nothing', async () => {
  const context = testContext()
  const work = {
    layer: 'role:a',
    mode: 'chroot',
    parentDisk: join(context.root, 'none.raw'),
    parentBelow: [join(context.root, 'none-below.raw')],
    tools: join(context.root, 'no-tools'),
    apt: { packages: { date: 0 } },
    inputs: {},
    steps: [{ do: 'apt', apt: 'packages', install: ['hello'] }],
  } as unknown as Work
  const standby = openStandby(context)
  expect(await standby.take(work, context)).toBeUndefined()
  await standby.makeReady()
  expect(await standby.take(work, context)).toBeUndefined()
  const folder = join(context.cacheDir, 'work')
  expect(existsSync(folder) ? readdirSync(folder) : []).toEqual([])
  await standby.close()
})
