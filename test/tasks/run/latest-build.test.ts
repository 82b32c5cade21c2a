// Two folders with layers of the same names and one cache, built by the fake backend.

import { mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { removeEntry } from '../../../cache/content.ts'
import { latestKey } from '../../../cache/find-record.ts'
import { fakeBackend } from '../../../tasks/backends/fake.ts'
import { planBuild, runBuild } from '../../../tasks/build.ts'
import { renderExplanation } from '../../../tasks/commands/why.ts'
import { layer } from '../../../tasks/plan/declare.ts'
import type { Layer } from '../../../tasks/plan/recipe.ts'
import { explainLayer } from '../../../tasks/run/explain-layer.ts'
import { findRecord } from '../../../tasks/run/find-image.ts'
import { latestBuild } from '../../../tasks/run/latest-build.ts'
import type { Project } from '../../../tasks/run/project.ts'
import { projectIdentity } from '../../../tasks/run/project-identity.ts'
import { readLog } from '../../../tasks/run/read-log.ts'
import { child, fakeProject, fixed, root, write } from '../../rig/fake-project.ts'
import { testContext } from '../../rig/run-context.ts'
import { tempFolder } from '../../rig/temp-folder.ts'

let folders: string
let cacheDir: string
let clock: number

beforeEach(() => {
  folders = tempFolder()
  cacheDir = join(tempFolder(), 'cache')
  clock = 0
})

const layers = (content: string): readonly Layer[] => {
  const install = layer('install:a', root('a'))
  return [install, child('role:a', install, fixed([write('/etc/role', content)]))]
}

type At = Project & { readonly events: ReturnType<typeof testContext>['events'] }

/** The project in a folder. */
async function at(name: string, content: string): Promise<At> {
  mkdirSync(join(folders, name), { recursive: true })
  const context = testContext({ root: join(folders, name), cacheDir, now: () => (clock += 1000) })
  return { ...(await fakeProject(context, layers(content))), events: context.events }
}

async function build(name: string, content: string): Promise<At> {
  const project = await at(name, content)
  await runBuild(project, [], { mode: 'fail-fast', check: false, backends: [fakeBackend()] })
  return project
}

const why = async (project: Project): Promise<string> =>
  renderExplanation(await explainLayer(project, 'role:a'), clock)

const warnings = ({ events }: At): readonly string[] =>
  events.flatMap((event) => (event.event === 'warning' ? [event.text] : []))

test('each folder is explained by its own builds', async () => {
  await build('one', 'one')
  await build('two', 'two')
  const { key } = (await (await at('one', 'one')).store.latest('role:a'))!
  expect((await (await at('two', 'two')).store.latest('role:a'))?.key).not.toBe(key)
  const changed = await why(await at('one', 'changed'))
  expect(changed).toMatch(
    new RegExp(`^role:a: build; since ${key.slice(0, 12)}, built .* ago:\n  content changed`),
  )
})

test('a folder without builds is told what differs from those of another one, in so many words', async () => {
  const one = await build('one', 'one')
  const { key } = (await one.store.latest('role:a'))!
  const second = await at('second', 'other')
  const [, planned] = (await planBuild(second, [])).layers
  expect(planned).toMatchObject({
    action: 'build',
    reason: 'first build from this folder; content changed (write /etc/role step)',
  })
  expect(planned?.expectedMs).toBeGreaterThan(0)
  expect(await why(second)).toMatch(
    new RegExp(
      `^role:a: build; since ${key.slice(0, 12)}, built .* ago from another folder:\n` +
        '  first build from this folder\n  content changed',
    ),
  )
  expect((await findRecord(second, 'role:a')).key).toBe(key)
  expect(warnings(second)).toEqual([
    'not built from this folder yet: taken is the newest build of another one',
  ])
  await build('second', 'other')
  const own = await at('second', 'other')
  expect((await findRecord(own, 'role:a')).because).toEqual([
    'first build from this folder',
    'content changed (write /etc/role step)',
  ])
  expect(warnings(own)).toEqual([])
})

test('a second clone that builds the same has it from then on', async () => {
  const { store } = await build('one', 'same')
  const { key } = (await store.latest('role:a'))!
  const clone = await build('clone', 'same')
  expect((await clone.store.latest('role:a'))?.key).toBe(key)
  await build('one', 'newer')
  expect(await latestBuild(clone.store, 'role:a')).toMatchObject({ key })
  expect(await latestBuild(clone.store, 'role:a')).not.toHaveProperty('elsewhere')
})

test('a moved folder is the project it was', async () => {
  const { store } = await build('one', 'one')
  const { key } = (await store.latest('role:a'))!
  await build('two', 'two')
  renameSync(join(folders, 'one'), join(folders, 'moved'))
  expect((await (await at('moved', 'one')).store.latest('role:a'))?.key).toBe(key)
})

test('a failed build is in the log of its own folder alone', async () => {
  await build('one', 'one')
  const broken = await at('two', 'two')
  const failing = fakeBackend({ failing: ['role:a'] })
  await runBuild(broken, [], { mode: 'fail-fast', check: false, backends: [failing] })
  expect(await readLog(broken, 'role:a')).toMatchObject({ status: 'failed' })
  expect(await readLog(await at('one', 'one'), 'role:a')).toMatchObject({ status: 'built' })
})

test('what an older img noted, by the name of the layer alone, counts as of another folder', async () => {
  const { store, context } = await build('one', 'one')
  const { key } = (await store.latest('role:a'))!
  await removeEntry(cacheDir, latestKey('role:a', projectIdentity(context.root)))
  expect(await store.latest('role:a')).toBeUndefined()
  expect(await latestBuild(store, 'role:a')).toMatchObject({ key, elsewhere: true })
  await build('one', 'one')
  expect((await store.latest('role:a'))?.key).toBe(key)
})
