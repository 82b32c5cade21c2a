import { expect, test } from 'vitest'
import { makePlainReporter } from '../../../tasks/reporters/plain.ts'
import type { Verbosity } from '../../../tasks/reporters/reporter.ts'
import { recordingStream } from './recording-stream.ts'
import { sampleEvents } from './sample-events.ts'

test('one line per event', async () => {
  expect(await shown('normal')).toMatchInlineSnapshot(`
    "plan: 5 layers, 3 to build
    warning: the clock of this machine is 3 h behind
      hint run chronyd
    base:a: waiting for process 17
    base:a: building, about 41 s expected
    role:web: building
    base:a: step 1 of 2, apply catalog
    base:a: pinned anew
    base:a: built in 42 s
    role:web: failed after 900 ms
      error STEP_FAILED: apt-get exited with 100
        hint see the lines below
        last output
          | Reading package lists...
          | E: Unable to locate package nginxx\\x07
        log /cache/log
    role:c: cancelled, role:web failed
    "
  `)
})

test('verbose also has the output of the steps, by whole lines and harmless, and what needed nothing', async () => {
  const [normal, verbose] = [await lines('normal'), await lines('verbose')]
  expect(verbose.filter((line) => !normal.includes(line))).toEqual([
    'base:a | Notice: one',
    'role:web | odd \\x1b]0;title\\x07',
    'base:a | Notice: two',
    'base:a | last',
    'role:b: unchanged',
  ])
  expect(verbose.filter((line) => normal.includes(line))).toEqual(normal)
})

test('quiet has warnings and failures', async () => {
  const [normal, quiet] = [await lines('normal'), await lines('quiet')]
  expect(normal.filter((line) => !quiet.includes(line))).toEqual([
    'plan: 5 layers, 3 to build',
    'base:a: waiting for process 17',
    'base:a: building, about 41 s expected',
    'role:web: building',
    'base:a: step 1 of 2, apply catalog',
    'base:a: pinned anew',
    'base:a: built in 42 s',
    'role:c: cancelled, role:web failed',
  ])
  expect(normal.filter((line) => quiet.includes(line))).toEqual(quiet)
})

test('a build with nothing to do says nothing', async () => {
  const stream = recordingStream()
  makePlainReporter({ stream, json: false, verbosity: 'normal', env: {}, now: () => 0 }).emit({
    event: 'plan',
    layers: 3,
    builds: 0,
  })
  expect(stream.text()).toBe('')
})

test('rounds of a watch', () => {
  const stream = recordingStream()
  const { emit } = makePlainReporter({ stream, json: false, verbosity: 'normal', env: {}, now: () => 0 })
  emit({ event: 'round-end', status: 'idle' })
  emit({ event: 'watching', folders: 12, polling: false })
  emit({ event: 'watching', folders: 1, polling: true })
  emit({ event: 'changed', paths: ['a.pp', 'b.pp', 'c.pp', 'd.pp', 'e.pp', 'f\u0007.pp', 'g.pp'] })
  emit({ event: 'round-end', status: 'superseded', ms: 900 })
  emit({ event: 'changed', paths: ['f\u0007.pp'] })
  emit({ event: 'puppet', layer: 'role:web', changed: [], resources: 12 })
  emit({ event: 'puppet', layer: 'role:web', changed: ['File[/etc/motd]'], resources: 12 })
  emit({ event: 'round-end', status: 'built', ms: 47_400 })
  emit({ event: 'round-end', status: 'idle', ms: 900 })
  emit({ event: 'round-end', status: 'failed', ms: 900 })
  expect(stream.text()).toMatchInlineSnapshot(`
    "up to date
    watching 12 folders; Ctrl-C ends
    watching 1 folder, twice a second; Ctrl-C ends
    a.pp, b.pp, c.pp, d.pp, e.pp and 2 more changed
    f\\x07.pp changed
    role:web: puppet changed 0 of 12 resources
    role:web: puppet changed 1 of 12 resources: File[/etc/motd]
    up to date, 47 s after the change
    up to date: nothing had to be built
    waiting for the next change
    "
  `)
})

const lines = async (verbosity: Verbosity): Promise<readonly string[]> =>
  (await shown(verbosity)).trimEnd().split('\n')

async function shown(verbosity: Verbosity): Promise<string> {
  const stream = recordingStream()
  const reporter = makePlainReporter({ stream, json: false, verbosity, env: {}, now: () => 0 })
  for (const event of sampleEvents) reporter.emit(event)
  await reporter.close()
  reporter.emit({ event: 'note', text: 'after the end' })
  return stream.text()
}
