import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { startProgram } from '../../../tasks/run/process.ts'
import { waitedMs } from '../../../tasks/run/waited-time.ts'

describe('waitedMs', () => {
  it('counts what two busy processes of one processor take from each other', async () => {
    const busy = ['taskset', '--cpu-list', '0', 'sh', '-c', 'while :; do :; done']
    const programs = [startProgram(busy), startProgram(busy)]
    try {
      // Each has to have had its turns; only a lower bound, as others may want the processor, too.
      const waited = (): number => Math.min(...programs.map(({ pid }) => waitedMs(pid)))
      while (waited() < 200) await delay(50)
      expect(waited()).toBeGreaterThanOrEqual(200)
    } finally {
      for (const program of programs) program.kill('SIGKILL')
    }
    await Promise.all(programs.map(({ exited }) => exited))
    expect(programs.map(({ pid }) => waitedMs(pid))).toEqual([0, 0])
  })
})
