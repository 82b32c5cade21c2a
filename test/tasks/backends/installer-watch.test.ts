import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { watchInstaller, type InstallerLimits } from '../../../tasks/backends/installer-watch.ts'
import { testContext } from '../../rig/run-context.ts'

const patient: InstallerLimits = { silenceMs: 60_000, totalMs: 600_000, standingMs: 10_000 }

/** Every look at the clock is a second later than the one before. */
function start(console: string, limits: Partial<InstallerLimits> = {}) {
  const { root } = testContext()
  const [consoleFile, diskFile] = [join(root, 'console'), join(root, 'disk')]
  writeFileSync(consoleFile, console)
  writeFileSync(diskFile, '')
  const over = new AbortController()
  const phases: string[] = []
  let time = 0
  let text = ''
  const watch = watchInstaller({
    consoleFile,
    diskFile,
    limits: { ...patient, ...limits },
    now: () => (time += 1000),
    over: over.signal,
    onText: (piece) => (text += piece),
    onPhase: (phase) => phases.push(phase),
  })
  return { ...watch, consoleFile, over, phases, text: () => text }
}

test('everything said before the machine ended is read', async () => {
  const running = start('Setting up the clock  ... 0%')
  appendFileSync(running.consoleFile, '... 100%\r\nConfiguring apt  ... 1%')
  running.over.abort()
  await expect(running.stopped).resolves.toBeUndefined()
  expect(running.text()).toBe('Setting up the clock  ... 0%... 100%\r\nConfiguring apt  ... 1%')
  expect(running.phases).toEqual(['Configuring apt'])
  expect(running.console.tail()).toContain('Configuring apt')
})

test('a question nobody answers', async () => {
  const { stopped } = start('Which?\r\n[Press enter to continue] ', { standingMs: 2000 })
  await expect(stopped).resolves.toEqual({ kind: 'problem', problem: { kind: 'question', text: 'Which?' } })
})

test('silence', async () => {
  await expect(start('', { silenceMs: 5000 }).stopped).resolves.toEqual({ kind: 'silent', seconds: 5 })
})

test('the whole time', async () => {
  await expect(start('', { totalMs: 4000 }).stopped).resolves.toEqual({ kind: 'too-long', seconds: 4 })
})
