import { expect, test } from 'vitest'
import { ImgError } from '../../../tasks/errors.ts'
import type { ImgEvent } from '../../../tasks/events.ts'
import { makeJsonReporter } from '../../../tasks/reporters/json.ts'
import type { Verbosity } from '../../../tasks/reporters/reporter.ts'
import { expectSchema, readSchema } from '../../rig/schema.ts'
import { recordingStream } from './recording-stream.ts'
import { sampleEvents } from './sample-events.ts'

test('every event is a line, with the time', async () => {
  const lines = await shown('normal')
  expect(lines).toHaveLength(sampleEvents.length)
  expect(lines[0]).toEqual({ time: 1000, event: 'plan', layers: 5, builds: 3 })
})

test('every kind of line is as the schema says', async () => {
  for (const line of await shown('normal', [...sampleEvents, ...otherEvents])) expectSchema('events', line)
  const { anyOf } = readSchema('events') as {
    anyOf: readonly { properties?: { event: { const: string } } }[]
  }
  const known = anyOf.flatMap(({ properties }) => properties?.event.const ?? [])
  const seen = new Set<string>([...sampleEvents, ...otherEvents].map(({ event }) => event))
  expect([...seen].toSorted()).toEqual(known.toSorted())
  const all: Record<ImgEvent['event'], true> = {
    plan: true,
    'layer-start': true,
    'step-start': true,
    output: true,
    doing: true,
    'fetch-start': true,
    progress: true,
    'layer-end': true,
    waiting: true,
    puppet: true,
    watching: true,
    changed: true,
    'round-end': true,
    error: true,
    note: true,
    warning: true,
  }
  expect(Object.keys(all).toSorted()).toEqual(known.toSorted())
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

/** Of fetching and of `img watch`. */
const otherEvents: readonly ImgEvent[] = [
  { event: 'doing', layer: 'role:web', text: 'storing' },
  { event: 'fetch-start', layer: 'role:web', key: 'k2', from: 's3://images' },
  { event: 'progress', layer: 'role:web', bytes: 1_048_576 },
  { event: 'puppet', layer: 'role:web', changed: ['File[/etc/motd]'], resources: 12 },
  { event: 'watching', folders: 3, polling: false },
  { event: 'changed', paths: ['puppet/manifests/site.pp'] },
  { event: 'round-end', status: 'idle' },
  { event: 'round-end', status: 'built', ms: 1200 },
  {
    event: 'error',
    error: new ImgError('INPUT_MISSING', 'there is no file a', { path: 'a', cause: 'gone' }),
  },
]

async function shown(verbosity: Verbosity, events = sampleEvents): Promise<{ event?: unknown }[]> {
  const stream = recordingStream()
  const reporter = makeJsonReporter({ stream, json: true, verbosity, env: {}, now: () => 1000 })
  for (const event of events) reporter.emit(event)
  await reporter.close()
  reporter.emit({ event: 'note', text: 'after the end' })
  const lines = stream.text().split('\n')
  expect(lines.pop()).toBe('')
  return lines.map((line) => JSON.parse(line) as { event?: unknown })
}
