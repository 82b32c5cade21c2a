import { expect, test } from 'vitest'
import type { ImgEvent } from '../../../tasks/events.ts'
import { makeTtyReporter } from '../../../tasks/reporters/tty.ts'
import { recordingStream, type RecordingStream } from './recording-stream.ts'
import { sampleEvents } from './sample-events.ts'

test('running layers stand below what is finished', () => {
  const { stream, play } = terminal()
  play(sampleEvents.slice(0, 6), 1000)
  expect(stream.screen()).toMatchInlineSnapshot(`
    [
      "plan: 5 layers, 3 to build",
      "warning: the clock of this machine is 3 h behind",
      "  hint run chronyd",
      "base:a: waiting for process 17",
      "base:a    0 s of about 41 s  1/2 apply catalog",
      "role:web  0 s  starting",
    ]
  `)
})

test('the end leaves lines, and nothing that runs', async () => {
  const { stream, play, reporter } = terminal()
  play(sampleEvents, 1000)
  await reporter.close()
  expect(stream.screen()).toMatchInlineSnapshot(`
    [
      "plan: 5 layers, 3 to build",
      "warning: the clock of this machine is 3 h behind",
      "  hint run chronyd",
      "base:a: waiting for process 17",
      "base:a: pinned anew",
      "base:a: built in 42 s",
      "role:web: failed after 900 ms",
      "  error STEP_FAILED: apt-get exited with 100",
      "    hint see the lines below",
      "    last output",
      "      | Reading package lists...",
      "      | E: Unable to locate package nginxx\\x07",
      "    log /cache/log",
      "role:c: cancelled, role:web failed",
    ]
  `)
})

test('time goes on without events', () => {
  const { stream, play, tick } = terminal()
  play(sampleEvents.slice(3, 4), 0)
  tick(61_000)
  expect(stream.screen()).toEqual(['base:a  1 min 1 s of about 41 s  starting'])
})

test('the last line a program said is shown with the next second, and goes with its step', () => {
  const { stream, play, tick } = terminal()
  play(
    [...sampleEvents.slice(3, 4), say('Unpacking a\nUnpac'), say('king b \u001b[31mred\u001b[0m\nSett')],
    0,
  )
  expect(stream.screen()).toEqual(['base:a  0 s of about 41 s  starting'])
  tick(1000)
  expect(stream.screen()).toEqual(['base:a  1 s of about 41 s  starting | Unpacking b red'])
  play([{ event: 'step-start', layer: 'base:a', step: 2, steps: 2, label: 'seal' }], 2000)
  expect(stream.screen()).toEqual(['base:a  2 s of about 41 s  2/2 seal'])
  play([say('sealed\n'), { event: 'doing', layer: 'base:a', text: 'storing' }], 3000)
  expect(stream.screen()).toEqual(['base:a  3 s of about 41 s  storing'])
})

test('lines are cut to the width, also after it changed', () => {
  const { stream, play, tick } = terminal()
  play(sampleEvents.slice(3, 6), 0)
  stream.columns = 24
  tick(2000)
  expect(stream.screen()).toEqual(['base:a    2 s of about…', 'role:web  2 s  starting'])
})

test('a window made narrow leaves nothing behind, neither when it is drawn again nor when a line comes', () => {
  const { stream, play, tick } = terminal()
  play(sampleEvents.slice(3, 6), 0)
  stream.resize(24)
  tick(2000)
  expect(stream.screen()).toEqual(['base:a    2 s of about…', 'role:web  2 s  starting'])
  stream.resize(12)
  play([{ event: 'note', text: 'seen' }], 3000)
  expect(stream.screen()).toEqual(['seen', 'base:a    …', 'role:web  …'])
})

test('more layers than the screen has lines are counted', () => {
  const { stream, play } = terminal(80, 5)
  play(
    ['a', 'b', 'c', 'd', 'e'].map((name) => ({ event: 'layer-start', layer: `base:${name}`, key: name })),
    0,
  )
  expect(stream.screen()).toEqual(['base:a  0 s  starting', 'base:b  0 s  starting', 'and 3 more'])
})

test('what a recipe or a guest says cannot steer the terminal', () => {
  const { stream, play } = terminal()
  const label = 'clear \u001b[2J\u009b2J and \u202eback'
  play([...sampleEvents.slice(3, 4), { event: 'step-start', layer: 'base:a', step: 1, steps: 1, label }], 0)
  expect(stream.screen()).toEqual(['base:a  0 s of about 41 s  1/1 clear \\x1b[2J\\x9b2J and \\u202eback'])
})

test.each([
  [{}, '\u001b[32mbase:a: built in 42 s\u001b[39m\n'],
  [{ NO_COLOR: '' }, '\u001b[32mbase:a: built in 42 s\u001b[39m\n'],
  [{ NO_COLOR: '1' }, 'base:a: built in 42 s\n'],
])('colours with %j', (env, expected) => {
  const { stream, play } = terminal(80, 24, env)
  play(sampleEvents.slice(10, 11), 0)
  expect(stream.text()).toBe(expected)
})

const say = (text: string): ImgEvent => ({ event: 'output', layer: 'base:a', stream: 'stdout', text })

interface Terminal {
  readonly stream: RecordingStream
  readonly reporter: ReturnType<typeof makeTtyReporter>
  /** Emits at this time. */
  readonly play: (events: readonly ImgEvent[], time: number) => void
  readonly tick: (time: number) => void
}

function terminal(columns = 80, rows = 24, env: Record<string, string> = { NO_COLOR: '1' }): Terminal {
  const stream = recordingStream(columns, rows)
  let time = 0
  let ticked: (() => void) | undefined
  const reporter = makeTtyReporter({
    stream,
    json: false,
    verbosity: 'normal',
    env,
    now: () => time,
    ticker: (tick) => {
      ticked = tick
      return () => (ticked = undefined)
    },
  })
  return {
    stream,
    reporter,
    play: (events, at) => {
      time = at
      for (const event of events) reporter.emit(event)
    },
    tick: (at) => {
      time = at
      ticked?.()
    },
  }
}
