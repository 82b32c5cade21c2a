import { expect, test } from 'vitest'
import { ImgError } from '../../../tasks/errors.ts'
import type { ImgEvent } from '../../../tasks/events.ts'
import { ciSystem, makeCiReporter, type CiSystem } from '../../../tasks/reporters/ci-groups.ts'
import { recordingStream } from './recording-stream.ts'

const events: readonly ImgEvent[] = [
  { event: 'plan', layers: 2, builds: 2 },
  { event: 'layer-start', layer: 'a:1', key: 'k' },
  { event: 'layer-start', layer: 'b:2', key: 'k' },
  { event: 'step-start', layer: 'a:1', step: 1, steps: 1, label: 'seal' },
  { event: 'output', layer: 'a:1', stream: 'stdout', text: '::error::not one of ours\n' },
  { event: 'layer-end', layer: 'a:1', outcome: { status: 'built', key: 'k', ms: 1000 } },
  {
    event: 'layer-end',
    layer: 'b:2',
    outcome: { status: 'failed', error: new ImgError('STEP_FAILED', 'it broke'), ms: 500 },
  },
]

async function shown(system: CiSystem, verbosity: 'normal' | 'verbose'): Promise<string> {
  const stream = recordingStream()
  const reporter = makeCiReporter(system, { stream, json: false, verbosity, env: {}, now: () => 5000 })
  for (const event of events) reporter.emit(event)
  await reporter.close()
  return stream.text()
}

test('GitHub: a layer is a group, a failure stands open', async () => {
  expect(await shown('github', 'normal')).toBe(`plan: 2 layers, 2 to build
::group::a:1 built
a:1: building
a:1: step 1 of 1, seal
a:1: built in 1.0 s
::endgroup::
b:2 failed
b:2: building
b:2: failed after 500 ms
  error STEP_FAILED: it broke
`)
})

test('GitLab: a section, folded', async () => {
  expect(await shown('gitlab', 'normal')).toContain(
    '\u001b[0Ksection_start:5:a_1_built[collapsed=true]\r\u001b[0Ka:1 built\na:1: building\n',
  )
})

test('a line of a guest commands nobody', async () => {
  const lines = (await shown('github', 'verbose')).split('\n')
  expect(lines.filter((line) => line.startsWith('::')).toSorted()).toEqual([
    '::endgroup::',
    '::group::a:1 built',
  ])
})

test('neither does a message of it, in a failure or out of a group, wherever the command stands', async () => {
  const stream = recordingStream()
  const reporter = makeCiReporter('github', {
    stream,
    json: false,
    verbosity: 'normal',
    env: {},
    now: () => 0,
  })
  const text = 'it said\n::stop-commands::x\n  ::add-mask::y\nand ##[endgroup]'
  const error = new ImgError('STEP_FAILED', text, { output: 'x ##[group]y' })
  reporter.emit({ event: 'layer-end', layer: 'a:1', outcome: { status: 'failed', error, ms: 0 } })
  reporter.emit({ event: 'warning', text })
  reporter.emit({ event: 'note', text })
  reporter.emit({ event: 'note', layer: 'b:2', text })
  await reporter.close()
  expect(
    stream
      .text()
      .split('\n')
      .filter((line) => /^\s*::|##\[/.test(line)),
  ).toEqual([])
})

test.each([
  [{ GITHUB_ACTIONS: 'true' }, 'github'],
  [{ GITLAB_CI: 'true' }, 'gitlab'],
  [{ CI: 'true' }, undefined],
])('%j is %s', (env, system) => expect(ciSystem(env)).toBe(system))
