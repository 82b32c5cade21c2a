import { mkdtempSync, rmSync, writeFileSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { fakeBackend } from '../../../tasks/backends/fake.ts'
import type { Work } from '../../../tasks/backends/backend.ts'
import type { RunContext } from '../../../tasks/context.ts'
import type { Step } from '../../../tasks/plan/step.ts'
import { describeBackend } from '../../contract/backend.ts'

let folder: string
let made = 0
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'img-fake-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

async function makeWork(steps: readonly Step[], layer = 'base:one'): Promise<Work & { parentDisk: string }> {
  made += 1
  const directory = join(folder, `work-${made}`)
  mkdirSync(directory)
  const parentDisk = join(folder, `parent-${made}`)
  writeFileSync(parentDisk, '[["/etc/hostname","0644 golden"]]')
  writeFileSync(`${directory}.log`, '')
  const rest = { inputs: {}, apt: {}, directory, log: `${directory}.log`, parentDisk }
  return { layer, key: '0'.repeat(64), chain: [], mode: 'chroot', arch: 'amd64', steps, ...rest }
}

const makeContext = (changes: Partial<RunContext> = {}): RunContext => ({
  root: folder,
  env: {},
  cacheDir: folder,
  now: () => 0,
  signal: new AbortController().signal,
  emit: () => undefined,
  uid: 0,
  yes: false,
  ...changes,
})

describeBackend('the fake', () => ({ backend: fakeBackend(), work: makeWork, context: makeContext }))

test('a layer waits at its gate and layers fail as told', async () => {
  const gate = new AbortController()
  const opened = new Promise<void>((resolve) => gate.signal.addEventListener('abort', () => resolve()))
  const backend = fakeBackend({ gates: { 'base:one': opened }, failing: ['base:two'] })
  const steps: readonly Step[] = [{ do: 'run', argv: ['true'] }]
  const first = backend.run(await makeWork(steps), makeContext())
  const second = backend.run(await makeWork(steps, 'base:two'), makeContext())
  await expect(second).rejects.toThrow('layer base:two: true failed with exit code 1')
  expect(backend.started).toStrictEqual(['base:one', 'base:two'])
  gate.abort()
  expect(Object.keys((await first).files)).toStrictEqual(['disk.raw'])
})
