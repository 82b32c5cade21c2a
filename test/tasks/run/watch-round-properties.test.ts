// Somebody edits as editors do while `img watch` runs on the fake backend: what is there in the end is what a cold build
// makes, nothing is built that nobody asked for, and nothing is missed.

import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { fakeBackend } from '../../../tasks/backends/fake.ts'
import { runBuild } from '../../../tasks/build.ts'
import type { RunContext } from '../../../tasks/context.ts'
import type { ImgEvent } from '../../../tasks/events.ts'
import { layer } from '../../../tasks/plan/declare.ts'
import type { Layer, Recipe } from '../../../tasks/plan/recipe.ts'
import type { Step } from '../../../tasks/plan/step.ts'
import { edit, random } from '../../rig/editor.ts'
import { child, fixed, root, write } from '../../rig/fake-project.ts'
import { testContext } from '../../rig/run-context.ts'
import { openFixed, startWatching } from '../../rig/watching.ts'

/** The content of its text file is written into the image. */
const fromText = (path: string): Recipe => ({
  ...fixed([]),
  inputs: { text: { kind: 'text', path } },
  steps: (facts): readonly Step[] => [write('/text', facts.text('text').content.replaceAll(/#.*\n/g, ''))],
})

const fromFolder = (base: string): Recipe => ({
  ...fixed([]),
  inputs: { files: { kind: 'files', base, patterns: ['**'] } },
  steps: () => [{ do: 'copy', input: 'files', to: '/files' }],
})

function declared(): readonly Layer[] {
  const install = layer('install:a', root('one'))
  const base = child('base:a', install, fromText('base.txt'))
  return [install, base, child('role:a', base, fromFolder('role'))]
}

async function digestOf(context: RunContext, name: string): Promise<string | undefined> {
  const project = await openFixed(context, declared())
  try {
    const { layers } = await runBuild(project, [name], { mode: 'fail-fast', check: false, backends: [] })
    return layers.find((built) => built.name === name)?.record?.treeDigest
  } catch {
    // Not cached: there is no backend to build it with.
    return undefined
  } finally {
    await project.close()
  }
}

async function coldDigest(context: RunContext, name: string): Promise<string | undefined> {
  const cold = { ...testContext(), root: context.root, now: Date.now }
  const project = await openFixed(cold, declared())
  try {
    const built = await runBuild(project, [], { mode: 'fail-fast', check: false, backends: [fakeBackend()] })
    return built.layers.find((one) => one.name === name)?.record?.treeDigest
  } finally {
    await project.close()
  }
}

const immediately = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

function prepare(): RunContext {
  const context = testContext({ now: Date.now })
  mkdirSync(join(context.root, 'role'))
  writeFileSync(join(context.root, 'role', 'file-0'), 'first\n')
  writeFileSync(join(context.root, 'base.txt'), 'base\n')
  return context
}

test.each([1, 2, 3])(
  '100 edits in bursts end as a cold build does (seed %i)',
  async (seed) => {
    const context = prepare()
    const watching = startWatching(context, declared())
    await watching.until(async () => watching.events.some(({ event }) => event === 'watching'))
    const choose = random(seed)
    for (let number = 0; number < 100;) {
      for (let burst = choose(8) + 1; burst > 0 && number < 100; burst--) {
        edit(join(context.root, 'role'), number++, choose)
      }
      for (let turns = choose(200); turns > 0; turns--) await immediately()
    }
    writeFileSync(join(context.root, 'base.txt'), 'last\n')
    const wanted = await coldDigest(context, 'role:a')
    await watching.until(async () => (await digestOf(context, 'role:a')) === wanted)
    const built = watching.events.flatMap((event) =>
      event.event === 'layer-start' ? [`${event.layer} ${event.key}`] : [],
    )
    expect(new Set(built.filter((one) => one.startsWith('install'))).size).toBe(1)
    const finished = watching.events.flatMap((event) =>
      event.event === 'layer-end' && event.outcome.status === 'built'
        ? [`${event.layer} ${event.outcome.key}`]
        : [],
    )
    expect(new Set(finished).size).toBe(finished.length)
    expect(watching.events.filter(({ event }) => event === 'error')).toEqual([])
  },
  30_000,
)

test('a comment wakes, and builds nothing', async () => {
  const context = prepare()
  const watching = startWatching(context, declared())
  await watching.until(async () => watching.events.some(({ event }) => event === 'watching'))
  const before = watching.started.length
  writeFileSync(join(context.root, 'base.txt'), '# only words\nbase\n')
  await watching.until(async () => watching.events.at(-1)?.event === 'round-end')
  expect(watching.events.slice(-3)).toEqual([
    { event: 'changed', paths: ['base.txt'] },
    { event: 'plan', layers: 3, builds: 0 },
    { event: 'round-end', status: 'idle', ms: expect.any(Number) as number },
  ])
  expect(watching.started.length).toBe(before)
}, 30_000)

test('a missing file is told, and the watch goes on until it is back', async () => {
  const context = prepare()
  const watching = startWatching(context, declared())
  await watching.until(async () => watching.events.some(({ event }) => event === 'watching'))
  renameSync(join(context.root, 'base.txt'), join(context.root, 'away.txt'))
  await watching.until(async () => watching.events.some(({ event }) => event === 'error'))
  writeFileSync(join(context.root, 'base.txt'), 'back\n')
  const wanted = await coldDigest(context, 'role:a')
  await watching.until(async () => (await digestOf(context, 'role:a')) === wanted)
  const told = watching.events.find((event) => event.event === 'error')
  expect(told).toMatchObject({ error: { message: 'there is no file base.txt' } })
}, 30_000)

test('polling sees a change, too', async () => {
  const context = prepare()
  const watching = startWatching(context, declared(), { poll: true })
  await watching.until(async () => watching.events.some(({ event }) => event === 'watching'))
  expect(watching.events.at(-1)).toMatchObject({ event: 'watching', polling: true })
  writeFileSync(join(context.root, 'role', 'file-0'), 'polled\n')
  const wanted = await coldDigest(context, 'role:a')
  await watching.until(async () => (await digestOf(context, 'role:a')) === wanted)
  expect(readFileSync(join(context.root, 'role', 'file-0'), 'utf8')).toBe('polled\n')
}, 30_000)

test('a change ends a build it makes pointless, and a comment does not', async () => {
  const context = prepare()
  const gate: { open?: () => void } = {}
  const closed = new Promise<void>((resolve) => (gate.open = resolve))
  const watching = startWatching(context, declared(), { gates: { 'base:a': closed } })
  await watching.until(async () => watching.events.some(isBuilding))
  const wakes = watching.wakes()
  writeFileSync(join(context.root, 'base.txt'), '# only words\nbase\n')
  await watching.until(async () => watching.wakes() > wakes)
  writeFileSync(join(context.root, 'base.txt'), 'other\n')
  await watching.until(async () => watching.events.some(isCancelled))
  gate.open?.()
  const wanted = await coldDigest(context, 'role:a')
  await watching.until(async () => (await digestOf(context, 'role:a')) === wanted)
  expect(watching.events.find(isCancelled)).toEqual({
    event: 'layer-end',
    layer: 'base:a',
    outcome: { status: 'cancelled', because: 'its inputs changed' },
  })
  expect(watching.started.filter((name) => name === 'install:a').length).toBe(1)
}, 30_000)

const isBuilding = (event: ImgEvent): boolean => event.event === 'layer-start' && event.layer === 'base:a'

const isCancelled = (event: ImgEvent): boolean =>
  event.event === 'layer-end' && event.layer === 'base:a' && event.outcome.status === 'cancelled'
