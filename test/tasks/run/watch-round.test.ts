// What is done with images that are up to date: once for each state of them, undisturbed by what changes none.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { RunContext } from '../../../tasks/context.ts'
import { layer } from '../../../tasks/plan/declare.ts'
import type { Layer, Recipe } from '../../../tasks/plan/recipe.ts'
import type { Step } from '../../../tasks/plan/step.ts'
import { makeRounds } from '../../../tasks/run/watch-round.ts'
import { child, fixed, root, write } from '../../rig/fake-project.ts'
import { testContext } from '../../rig/run-context.ts'
import { openFixed, startWatching, type Watching } from '../../rig/watching.ts'

const fromFolder: Recipe = {
  ...fixed([]),
  inputs: {
    text: { kind: 'text', path: 'role/one.txt' },
    files: { kind: 'files', base: 'role', patterns: ['*.pp'] },
  },
  steps: (facts): readonly Step[] => [write('/text', facts.text('text').content.replaceAll(/#.*\n/g, ''))],
}

interface Machine {
  /** `started` and `ended`, the latter when its round was. */
  readonly told: readonly string[]
  readonly watching: Watching
  readonly context: RunContext
  readonly says: (text: string) => void
}

/** A machine is kept of what is up to date, as `--run` does. */
async function keepMachine(): Promise<Machine> {
  const context = testContext({ now: Date.now })
  mkdirSync(join(context.root, 'role'))
  writeFileSync(join(context.root, 'role', 'a.pp'), '')
  const says = (text: string): void => writeFileSync(join(context.root, 'role', 'one.txt'), text)
  says('one\n')
  const install = layer('install:a', root('one'))
  const layers: readonly Layer[] = [install, child('base:a', install, fromFolder)]
  const told: string[] = []
  const watching = startWatching(context, layers, {
    after: async (signal) => {
      told.push('started')
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
      told.push('ended')
    },
  })
  await watching.until(async () => watching.events.some(({ event }) => event === 'watching'))
  return { told, watching, context, says }
}

test('a round is told to be over before its machine is', async () => {
  const { watching } = await keepMachine()
  expect(watching.events.slice(-2)).toEqual([
    { event: 'round-end', status: 'built' },
    { event: 'watching', folders: 2, polling: false },
  ])
})

test("an editor's own file and a comment leave the machine running, a change ends it", async () => {
  const { told, watching, context, says } = await keepMachine()
  await watching.until(async () => told.length === 1)
  let wakes = watching.wakes()
  writeFileSync(join(context.root, 'role', '.one.txt.swp'), 'swap')
  await watching.until(async () => watching.wakes() > wakes)
  wakes = watching.wakes()
  says('# only words\none\n')
  await watching.until(async () => watching.wakes() > wakes)
  says('two\n')
  await watching.until(async () => told.length === 3)
  expect(told).toEqual(['started', 'ended', 'started'])
  const paths = watching.events.flatMap((event) => (event.event === 'changed' ? event.paths : []))
  expect([...new Set(paths)]).toEqual(['role/one.txt'])
}, 30_000)

test('what was broken off for a mistake is done again when the mistake is gone', async () => {
  const { told, watching, context, says } = await keepMachine()
  await watching.until(async () => told.length === 1)
  rmSync(join(context.root, 'role', 'one.txt'))
  await watching.until(async () => watching.events.some(({ event }) => event === 'error'))
  says('one\n')
  await watching.until(async () => told.length === 3)
  expect(told).toEqual(['started', 'ended', 'started'])
}, 30_000)

test('a round that was ended while it asked plans nothing', async () => {
  const context = testContext()
  const ended = new AbortController()
  ended.abort()
  let builds = 0
  const rounds = makeRounds({
    context,
    selectors: [],
    folders: {
      follow: async () => false,
      polling: () => false,
      count: () => 1,
      close: async () => undefined,
    },
    imgfile: { files: () => [], open: (at) => openFixed(at, [layer('install:a', root('one'))]) },
    build: async () => {
      builds += 1
      return { layers: [] }
    },
    after: async () => undefined,
    again: () => undefined,
  })
  await rounds.run(ended.signal, { paths: [], since: 0 })
  expect([builds, context.events]).toEqual([0, []])
  await rounds.run(new AbortController().signal, { paths: [], since: 0 })
  expect(builds).toBe(1)
})
