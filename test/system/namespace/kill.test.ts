// kill -9 of `img` at any moment: no process, mount or loop device of the build is left, and the next one is not disturbed.

import { setTimeout as wait } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { Work } from '../../../tasks/backends/backend.ts'
import type { Step } from '../../../tasks/plan/step.ts'
import { leftovers } from '../../rig/leftovers.ts'
import { canRun, parentBench } from './bench.ts'
import { startBuild } from './start-build.ts'

const steps: readonly Step[] = [
  { do: 'write', path: '/etc/motd', content: 'killed\n', mode: '0644' },
  { do: 'run', argv: ['sh', '-c', 'setsid sleep 300 & setsid -f sleep 300; sleep 2'], label: 'daemons' },
]

describe.runIf(canRun)('killed builds', () => {
  const bench = parentBench()

  test.each([
    ['on an overlay', { parentBelow: [] }],
    ['in a copy', {}],
  ])('leave nothing, at any moment, %s', async (_, changes) => {
    const whole = await runChild(changes)
    expect(whole.tree).toMatch(/^tree [0-9a-f]{64}$/)
    let interrupted = 0
    for (const share of [0.05, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95]) {
      const killed = await runChild(changes, whole.ms * share)
      if (killed.tree === undefined) interrupted += 1
      expect(await leftovers(killed.directory)).toStrictEqual([])
    }
    // The last ones may come too late; a build is not as fast each time.
    expect(interrupted).toBeGreaterThan(3)
    expect((await runChild(changes)).tree).toBe(whole.tree)
  })

  async function runChild(
    changes: Partial<Work>,
    killAfter?: number,
  ): Promise<{ readonly tree: string | undefined; readonly ms: number; readonly directory: string }> {
    const work = bench().child(steps, { apt: {}, ...changes })
    const began = Date.now()
    const child = startBuild(work)
    if (killAfter === undefined) await child.says('tree ')
    else {
      await wait(killAfter)
      await child.kill()
    }
    const tree = child.lines.find((line) => line.startsWith('tree '))
    return { tree, ms: Date.now() - began, directory: work.directory }
  }
})
