import { expect, test } from 'vitest'
import { openReporter } from '../../../tasks/reporters/open-reporter.ts'
import type { ReporterOptions } from '../../../tasks/reporters/reporter.ts'
import { recordingStream } from './recording-stream.ts'

const start = { event: 'layer-start', layer: 'base:a', key: 'k' } as const

test.each<[string, Partial<ReporterOptions> & { isTTY: boolean; columns?: number }, RegExp]>([
  ['a terminal is drawn on', { isTTY: true }, /^[^]*base:a {2}0 s {2}starting/],
  ['a dumb terminal gets lines', { env: { TERM: 'dumb' }, isTTY: true }, /^base:a: building\n$/],
  ['a terminal without a width gets lines', { isTTY: true, columns: 0 }, /^base:a: building\n$/],
  ['a CI system gets lines', { env: { CI: 'true' }, isTTY: true }, /^base:a: building\n$/],
  ['GitHub gets groups', { env: { GITHUB_ACTIONS: 'true' }, isTTY: false }, /^base:a: building\n$/],
  ['a pipe gets lines', { isTTY: false }, /^base:a: building\n$/],
  [
    'a program gets JSON',
    { json: true, isTTY: true },
    /^\{"time":0,"event":"layer-start","layer":"base:a","key":"k"\}\n$/,
  ],
  ['quiet says nothing', { verbosity: 'quiet', isTTY: true }, /^$/],
])('%s', async (_name, { isTTY, columns = 80, ...options }, expected) => {
  const stream = { ...recordingStream(columns), isTTY }
  const reporter = openReporter({
    stream,
    json: false,
    verbosity: 'normal',
    env: {},
    now: () => 0,
    ...options,
  })
  reporter.emit(start)
  await reporter.close()
  expect(stream.text()).toMatch(expected)
})

test('closing one that never showed anything loads nothing and may be done twice', async () => {
  const stream = recordingStream()
  const reporter = openReporter({ stream, json: false, verbosity: 'normal', env: {}, now: () => 0 })
  await reporter.close()
  await reporter.close()
  expect(stream.text()).toBe('')
})
