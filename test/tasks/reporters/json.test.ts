import { expect, test } from 'vitest'
import { makeJsonReporter } from '../../../tasks/reporters/json.ts'
import type { Verbosity } from '../../../tasks/reporters/reporter.ts'
import { recordingStream } from './recording-stream.ts'
import { sampleEvents } from './sample-events.ts'

test('every event is a line, with the time', async () => {
  const lines = await shown('normal')
  expect(lines).toHaveLength(sampleEvents.length)
  expect(lines[0]).toEqual({ time: 1000, event: 'plan', layers: 5, builds: 3 })
})

test('a failure has the fields of its error', async () => {
  expect((await shown('normal'))[12]).toEqual({
    time: 1000,
    event: 'layer-end',
    layer: 'role:web',
    outcome: {
      status: 'failed',
      error: {
        code: 'STEP_FAILED',
        exitCode: 1,
        message: 'apt-get exited with 100',
        layer: 'role:web',
        hint: 'see the lines below',
        output: 'Reading package lists...\r\nE: \u001b[31mUnable\u001b[0m to locate package nginxx\u0007\n',
      },
      log: '/cache/log',
      ms: 900,
    },
  })
})

test('quiet has warnings and failures', async () => {
  expect((await shown('quiet')).map(({ event }) => event)).toEqual(['warning', 'layer-end'])
})

async function shown(verbosity: Verbosity): Promise<{ event?: unknown }[]> {
  const stream = recordingStream()
  const reporter = makeJsonReporter({ stream, json: true, verbosity, env: {}, now: () => 1000 })
  for (const event of sampleEvents) reporter.emit(event)
  await reporter.close()
  reporter.emit({ event: 'note', text: 'after the end' })
  const lines = stream.text().split('\n')
  expect(lines.pop()).toBe('')
  return lines.map((line) => JSON.parse(line) as { event?: unknown })
}
