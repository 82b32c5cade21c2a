// The namespaces of a build: there while something is done in them, and gone whatever came of it.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Work } from '../../../tasks/backends/backend.ts'
import { withBuild } from '../../../tasks/backends/with-build.ts'
import { testContext } from '../../rig/run-context.ts'
import { canRun } from './bench.ts'

function someWork(directory: string): Work {
  mkdirSync(directory, { recursive: true })
  const nothing = { inputs: {}, scripts: {}, apt: {}, chain: [] }
  const steps = [{ do: 'seal' as const, epoch: 1700 }]
  const about = { layer: 'role:web', key: '', mode: 'chroot' as const, arch: 'amd64' }
  return { ...about, ...nothing, steps, directory, since: 100, log: join(directory, 'log') }
}

describe.runIf(canRun)('withBuild', () => {
  test('runs in namespaces whose processes end with it', async () => {
    const context = { ...testContext(), now: Date.now }
    const work = someWork(join(context.root, 'work'))
    const build = await withBuild(work, context, async (own) => {
      const { stdout } = await own.session.run(['sh', '-c', 'cat /proc/1/comm; echo "$$"'])
      expect(stdout.split('\n')[0]).toBe('systemd')
      return own
    })
    expect([build.epoch, build.cut, build.folders.work]).toEqual([1700, 98, work.directory])
    const late = await build.session.run(['true']).then(({ exitCode }) => exitCode)
    expect(late).not.toBe(0)
  })

  test('says that a write of ours found no space', async () => {
    const context = testContext()
    const work = someWork(join(context.root, 'work'))
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
    await expect(withBuild(work, context, () => Promise.reject(full))).rejects.toMatchObject({
      code: 'DISK_FULL',
      message: 'layer role:web: no space left for its files',
    })
  })
})
