import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Backend } from '../../tasks/backends/backend.ts'
import { fakeBackend, type FakeBackend, type FakeOptions } from '../../tasks/backends/fake.ts'
import { planBuild, runBuild } from '../../tasks/build.ts'
import type { RunContext } from '../../tasks/context.ts'
import type { ImgEvent } from '../../tasks/events.ts'
import { layer } from '../../tasks/plan/declare.ts'
import type { Layer } from '../../tasks/plan/recipe.ts'
import type { Step } from '../../tasks/plan/step.ts'
import type { BuildOptions } from '../../tasks/run/carry-out.ts'
import { explainLayer } from '../../tasks/run/explain-layer.ts'
import type { Project } from '../../tasks/run/project.ts'
import { readLog } from '../../tasks/run/read-log.ts'
import { child, fakeProject, fixed, root, write } from '../rig/fake-project.ts'
import { testContext } from '../rig/run-context.ts'

const chain = (rootContent = 'a', roleContent = 'r'): readonly Layer[] => {
  const install = layer('install:a', root(rootContent))
  const base = child('base:a', install, fixed([write('/etc/base', 'b')]))
  return [install, base, child('role:a', base, fixed([write('/etc/role', roleContent)]))]
}

async function build(
  project: Project,
  over: Partial<BuildOptions> & { readonly fake?: FakeOptions; readonly selectors?: readonly string[] } = {},
): Promise<{ outcomes: Record<string, string>; backend: FakeBackend }> {
  const backend = fakeBackend(over.fake)
  const { layers } = await runBuild(project, over.selectors ?? [], {
    mode: 'fail-fast',
    check: false,
    backends: [backend],
    ...over,
  })
  return { outcomes: Object.fromEntries(layers.map(({ name, outcome }) => [name, outcome.status])), backend }
}

const fresh = fakeProject

test('builds everything once, then reuses it without starting the backend', async () => {
  const context = testContext()
  const first = await build(await fresh(context, chain()))
  expect(first.outcomes).toEqual({ 'install:a': 'built', 'base:a': 'built', 'role:a': 'built' })
  const second = await build(await fresh(context, chain()))
  expect(second.outcomes).toEqual({ 'install:a': 'reused', 'base:a': 'reused', 'role:a': 'reused' })
  expect(second.backend.started).toEqual([])
})

test('a cached role needs nothing below it', async () => {
  const context = testContext()
  await build(await fresh(context, chain()))
  const { outcomes } = await build(await fresh(context, chain()), { selectors: ['role:a'] })
  expect(outcomes).toEqual({ 'role:a': 'reused' })
})

test('rebuilds only what changed and what stands on it', async () => {
  const context = testContext()
  await build(await fresh(context, chain()))
  const role = await build(await fresh(context, chain('a', 'changed')))
  expect(role.outcomes).toEqual({ 'install:a': 'reused', 'base:a': 'reused', 'role:a': 'built' })
  const all = await build(await fresh(context, chain('changed', 'changed')))
  expect(all.outcomes).toEqual({ 'install:a': 'built', 'base:a': 'built', 'role:a': 'built' })
})

test('children of a parent that comes out the same are unchanged', async () => {
  const context = testContext()
  await build(await fresh(context, chain()))
  const install = layer('install:a', [root('a'), fixed([{ do: 'run', argv: ['true'] }])])
  const base = child('base:a', install, fixed([write('/etc/base', 'b')]))
  const layers = [install, base, child('role:a', base, fixed([write('/etc/role', 'r')]))]
  const { outcomes, backend } = await build(await fresh(context, layers))
  expect(outcomes).toEqual({ 'install:a': 'built', 'base:a': 'unchanged', 'role:a': 'unchanged' })
  expect(backend.started).toEqual(['install:a'])
})

test('a failure cancels what stands on it, keeps the log, and leaves no folder', async () => {
  const context = testContext()
  const project = await fresh(context, chain())
  const { outcomes } = await build(project, { fake: { failing: ['base:a'] } })
  expect(outcomes).toEqual({ 'install:a': 'built', 'base:a': 'failed', 'role:a': 'cancelled' })
  expect(await readLog(project, 'base:a')).toEqual({
    layer: 'base:a',
    status: 'failed',
    started: 0,
    text: '+ write /etc/base\n',
  })
  expect(readdirSync(join(context.cacheDir, 'work'))).toEqual([])
  const plan = await planBuild(await fresh(context, chain()), [])
  expect(plan.layers.map(({ name, action }) => [name, action])).toEqual([
    ['install:a', 'reuse'],
    ['base:a', 'build'],
    ['role:a', 'undecided'],
  ])
})

test('a build whose input changed meanwhile is not recorded', async () => {
  const context = testContext()
  writeFileSync(join(context.root, 'motd'), 'before')
  const install = layer('install:a', root('a'))
  const layers = [install, child('base:a', install, fixed([], ['motd']))]
  const gate = gateOf()
  const backend = fakeBackend({ gates: { 'base:a': gate.promise } })
  const project = await fresh(
    {
      ...context,
      emit: (event) => {
        if (event.event !== 'layer-start' || event.layer !== 'base:a') return
        writeFileSync(join(context.root, 'motd'), 'after, and longer')
        gate.resolve()
      },
    },
    layers,
  )
  const { layers: ended } = await runBuild(project, [], {
    mode: 'fail-fast',
    check: false,
    backends: [backend],
  })
  const outcome = ended.find(({ name }) => name === 'base:a')?.outcome
  expect(
    outcome?.status === 'failed' && [outcome.error.code, outcome.error.message, outcome.error.fields.hint],
  ).toEqual([
    'INPUT_CHANGED',
    'motd changed while base:a was being built',
    'nothing was recorded; build again',
  ])
  expect((await planBuild(await fresh(context, layers), ['base:a'])).layers.at(-1)?.action).toBe('build')
})

test('two builds at once build each layer once', async () => {
  const context = testContext()
  const [gate, building, waiting] = [gateOf(), gateOf(), gateOf()]
  const [one, two] = [fakeBackend({ gates: { 'install:a': gate.promise } }), fakeBackend()]
  const watching = (name: ImgEvent['event'], latch: Latch): RunContext => ({
    ...context,
    emit: ({ event }) => void (event === name && latch.resolve()),
  })
  const first = runBuild(await fresh(watching('layer-start', building), chain()), [], {
    mode: 'fail-fast',
    check: false,
    backends: [one],
  })
  // Whoever takes the lock first builds: only the gated build may.
  await building.promise
  const second = runBuild(await fresh(watching('waiting', waiting), chain()), [], {
    mode: 'fail-fast',
    check: false,
    backends: [two],
  })
  await waiting.promise
  gate.resolve()
  const results = await Promise.all([first, second])
  for (const { layers } of results)
    expect(layers.every(({ outcome }) => outcome.status !== 'failed')).toBe(true)
  expect([...one.started, ...two.started].toSorted()).toEqual(['base:a', 'install:a', 'role:a'])
})

test('--check builds once more, records nothing, and refuses what comes out differently', async () => {
  const context = testContext()
  const project = await fresh(context, chain())
  await build(project, { check: true, selectors: ['install:a'] })
  expect(context.events.at(-1)).toMatchObject({ event: 'note', layer: 'install:a' })
  let runs = 0
  const honest = fakeBackend()
  const fickle = {
    ...honest,
    run: (...[work, run]: Parameters<typeof honest.run>): ReturnType<typeof honest.run> =>
      honest.run({ ...work, steps: [...work.steps, write('/run', String((runs += 1)))] }, run),
  }
  const other = await fresh(context, [layer('install:b', root('other'))])
  await expect(
    runBuild(other, [], { mode: 'fail-fast', check: true, backends: [fickle] }),
  ).rejects.toMatchObject({
    code: 'CHECK_DIFFERS',
    message: 'install:b built again gave other files',
  })
})

test('why a layer would be built, and why it was', async () => {
  const context = testContext()
  writeFileSync(join(context.root, 'motd'), 'one')
  const install = layer('install:a', root('a'))
  const layers = [install, child('base:a', install, fixed([], ['motd']))]
  await build(await fresh(context, layers))
  writeFileSync(join(context.root, 'motd'), 'two!')
  expect((await explainLayer(await fresh(context, layers), 'base:a')).changes).toEqual(['motd changed'])
  await build(await fresh(context, layers))
  const built = await explainLayer(await fresh(context, layers), 'base:a')
  expect([built.action, built.changes, built.previous?.because]).toEqual(['reuse', [], ['motd changed']])
})

test('a repeated build rests on every input, the lock file and what it stored', async () => {
  const context = testContext()
  writeFileSync(join(context.root, 'motd'), 'one')
  writeFileSync(join(context.root, 'imgfile.lock'), '{"version":1,"apt":{}}')
  const install = layer('install:a', root('a'))
  const project = await fresh(context, [install, child('base:a', install, fixed([], ['motd']))])
  const { basis } = await runBuild(project, [], {
    mode: 'fail-fast',
    check: false,
    backends: [fakeBackend()],
  })
  expect(basis?.read).toEqual(
    expect.arrayContaining([join(context.root, 'motd'), join(context.root, 'imgfile.lock')]),
  )
  expect(basis?.stored.every((path) => path.startsWith(context.cacheDir) && existsSync(path))).toBe(true)
})

interface Latch {
  readonly promise: Promise<void>
  readonly resolve: () => void
}

function gateOf(): Latch {
  const opened = new AbortController()
  const promise = new Promise<void>((resolve) => opened.signal.addEventListener('abort', () => resolve()))
  return { promise, resolve: () => opened.abort() }
}

test('steps go to the backend that has them, and the disk goes along', async () => {
  const plain = fakeBackend({ name: 'plain', steps: new Set(['write', 'seal', 'disk']) })
  const special = fakeBackend({ name: 'special', steps: new Set(['mkdir', 'write', 'seal']) })
  const folder: Step = { do: 'mkdir', path: '/srv', mode: '0755' }
  const install = layer('install:a', root('a'))
  const mixed = child('base:a', install, fixed([write('/a', '1'), folder, write('/b', '2')]))
  const context = testContext()
  const project = await fresh(context, [install, mixed])
  await build(project, { backends: [plain, special] })
  expect(plain.started).toEqual(['install:a', 'base:a', 'base:a'])
  expect(special.started).toEqual(['base:a'])
  const record = await project.store.latest('base:a')
  expect(record?.backend).toBe('plain, special')
  const seen = context.events.flatMap((event) =>
    event.event === 'step-start' && event.layer === 'base:a' ? [`${event.step}/${event.steps}`] : [],
  )
  expect(seen).toEqual(['1/4', '2/4', '3/4', '4/4'])
  // The same tree as from a backend that does it all.
  const whole = await fresh(testContext(), [install, mixed])
  await build(whole)
  expect((await whole.store.latest('base:a'))?.treeDigest).toBe(record?.treeDigest)
})

test('all parts of a layer know when its work began', async () => {
  const began: unknown[] = []
  const watched = (backend: FakeBackend): Backend => ({
    ...backend,
    run: (work, context) => {
      if (work.layer === 'base:a') began.push(work.since)
      return backend.run(work, context)
    },
  })
  const plain = watched(fakeBackend({ name: 'plain', steps: new Set(['write', 'seal', 'disk']) }))
  const special = watched(fakeBackend({ name: 'special', steps: new Set(['mkdir']) }))
  const folder: Step = { do: 'mkdir', path: '/srv', mode: '0755' }
  const install = layer('install:a', root('a'))
  let clock = 5000
  const context = testContext({ now: () => (clock += 10_000) })
  const project = await fresh(context, [install, child('base:a', install, fixed([folder]))])
  await build(project, { backends: [plain, special] })
  expect(began).toHaveLength(2)
  expect(new Set(began).size).toBe(1)
})

test('a step no backend has fails its layer before anything of it runs', async () => {
  const backend = fakeBackend({ name: 'plain', steps: new Set(['write', 'seal', 'disk']) })
  const install = layer('install:a', root('a'))
  const folder: Step = { do: 'mkdir', path: '/srv', mode: '0755' }
  const project = await fresh(testContext(), [
    install,
    child('base:a', install, fixed([write('/a', '1'), folder])),
  ])
  const { layers } = await runBuild(project, [], { mode: 'fail-fast', check: false, backends: [backend] })
  const outcome = layers.find(({ name }) => name === 'base:a')?.outcome
  expect(outcome).toMatchObject({
    status: 'failed',
    error: {
      message: 'layer base:a: no backend here can do mkdir',
      fields: { hint: 'there is plain; run `img doctor` to see what others miss' },
    },
  })
  expect(backend.started).toEqual(['install:a'])
})
