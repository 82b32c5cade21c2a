// A checkout beside what the shared cache holds, built by the fake backend.

import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { fakeBackend } from '../../../tasks/backends/fake.ts'
import { runBuild } from '../../../tasks/build.ts'
import { renderExplanation } from '../../../tasks/commands/why.ts'
import type { RunContext } from '../../../tasks/context.ts'
import { layer } from '../../../tasks/plan/declare.ts'
import type { Layer } from '../../../tasks/plan/recipe.ts'
import { explainLayer } from '../../../tasks/run/explain-layer.ts'
import { findAgainst } from '../../../tasks/run/find-against.ts'
import type { Remotes } from '../../../tasks/run/remotes.ts'
import { child, fakeProject, fixed, root, write } from '../../rig/fake-project.ts'
import { sharedCache } from '../../rig/shared-cache.ts'
import { tempFolder } from '../../rig/temp-folder.ts'

const chain = (content: string): readonly Layer[] => {
  const install = layer('install:a', root('a'))
  return [install, child('role:a', install, fixed([write('/etc/role', content)]))]
}

async function build(context: RunContext, content: string): Promise<void> {
  const project = await fakeProject(context, chain(content))
  await runBuild(project, [], { mode: 'fail-fast', check: false, backends: [fakeBackend()] })
  await (await project.remotes())?.settle()
}

async function why(
  context: RunContext,
  content: string,
  { written = 'remote', now = 0 }: { readonly written?: string; readonly now?: number } = {},
): Promise<string> {
  const project = await fakeProject(context, chain(content))
  const remotes = async (): Promise<Remotes> => (await project.remotes())!
  const against = await findAgainst(project, 'role:a', { written, cwd: context.root, remotes })
  return renderExplanation(await explainLayer(project, 'role:a', against), now)
}

const at = (context: RunContext, now: number): RunContext => ({ ...context, now: () => now })

test('the newest of main, in the words of why, until another is newer', async () => {
  const shared = sharedCache()
  const ci = shared.machine(shared.ci)
  for (const [place, content] of ['one', 'two', 'three', 'four', 'five'].entries())
    await build(at(ci, place * 60_000), content)
  const laptop = shared.machine()
  expect(await why(laptop, 'mine', { now: 5 * 60_000 })).toMatch(
    new RegExp(
      `^role:a differs from role:a [0-9a-f]{12}, built 1 min 0 s ago by ci \\(main in ${shared.folder}\\), in:\n` +
        '  content changed \\(write /etc/role step\\)\n' +
        'from\n  role:a: content changed \\(write /etc/role step\\)\n    at .*/rig/fake-project.ts:\\d+\n$',
    ),
  )
  expect(await why(laptop, 'five')).toMatch(
    /^role:a: nothing that is in the key differs from role:a [0-9a-f]{12}, built 0 ms ago by ci /,
  )
  // One that was built before is newest only when it is built again.
  await build(at(ci, 6 * 60_000), 'one')
  expect(await why(laptop, 'five')).toMatch(/^role:a: nothing that is in the key differs/)
  expect(laptop.events.filter(({ event }) => event === 'warning')).toEqual([])
})

test('one remote, by its URL or its name', async () => {
  const shared = sharedCache()
  const other = tempFolder()
  const both = { IMG_REMOTES: `${shared.url},file://${other}` }
  await build(shared.machine(shared.ci), 'first')
  await build(at(shared.machine(shared.ci, { IMG_REMOTES: `file://${other}` }), 1000), 'second')
  const laptop = shared.machine(undefined, both)
  expect(await why(laptop, 'second')).toContain(`nothing that is in the key differs`)
  expect(await why(laptop, 'first', { written: shared.url })).toContain('nothing that is in the key differs')
  expect(await why(laptop, 'first', { written: shared.folder })).toContain(
    'nothing that is in the key differs',
  )
  await expect(why(laptop, 'first', { written: 'file:///srv/x' })).rejects.toMatchObject({
    code: 'OPTION_INVALID',
    message: 'file:///srv/x is no remote of this project',
    fields: {
      found: 'file:///srv/x',
      validOptions: ['remote', shared.url, `file://${other}`],
      hint: 'write `remote` for the newest of all of them',
    },
  })
})

test('main goes before our own; others than those who may write it count for nothing', async () => {
  const shared = sharedCache()
  await build(at(shared.machine(shared.alice), 2000), 'alice')
  expect(await why(shared.machine(shared.alice), 'alice')).toContain('by alice (dev/alice in ')
  await expect(why(shared.machine(), 'alice')).rejects.toMatchObject({
    code: 'RECORD_MISSING',
    message: 'no remote has a build of role:a that can be believed',
    fields: {
      layer: 'role:a',
      hint: '`img push role:a` on a machine that has one sends it; `img keys list` says whose entries count',
    },
  })
  await build(at(shared.machine(shared.ci), 1000), 'ci')
  expect(await why(shared.machine(shared.alice), 'ci')).toContain('by ci (main in ')
  await expect(why(shared.machine(), 'ci', { written: shared.url })).resolves.toContain('by ci')
})

test('while a parent is not here, nothing is known of the key', async () => {
  const shared = sharedCache()
  await build(shared.machine(shared.ci), 'one')
  const laptop = shared.machine()
  const install = layer('install:a', root('another'))
  const project = await fakeProject(laptop, [
    install,
    child('role:a', install, fixed([write('/etc/role', 'one')])),
  ])
  const remotes = async (): Promise<Remotes> => (await project.remotes())!
  const against = await findAgainst(project, 'role:a', { written: 'remote', cwd: laptop.root, remotes })
  await expect(explainLayer(project, 'role:a', against)).rejects.toMatchObject({
    code: 'USAGE',
    message: 'role:a cannot be compared before install:a is here',
    fields: { hint: 'run `img build install:a` first', layer: 'role:a' },
  })
})

test('an announcement somebody touched is reported, and the one before it counts', async () => {
  const shared = sharedCache()
  const ci = shared.machine(shared.ci)
  await build(ci, 'one')
  const before = new Set(entries(shared.folder))
  await build(at(ci, 1000), 'two')
  const project = await fakeProject(ci, chain('two'))
  const { key } = (await project.store.latest('role:a'))!
  const added = entries(shared.folder).filter((path) => !before.has(path) && !path.includes(key))
  for (const path of added) writeFileSync(join(shared.folder, path), '{}')
  const laptop = shared.machine()
  expect(await why(laptop, 'one')).toContain('nothing that is in the key differs')
  const warned = laptop.events.filter(({ event }) => event === 'warning')
  expect(warned).toEqual([
    {
      event: 'warning',
      text: `${shared.folder} has an entry that is not to be trusted (${added[0]}): the entry has no payload`,
      hint: 'the build goes on without it; somebody who may write there should look at it',
    },
  ])
})

test('a remote that cannot be asked is one error, or a warning where another one answers', async () => {
  const shared = sharedCache()
  const down = 'http://127.0.0.1:1/img'
  const laptop = shared.machine(undefined, { IMG_REMOTES: down })
  const asked = why(laptop, 'one')
  await expect(asked).rejects.toMatchObject({
    code: 'REMOTE_FAILED',
    fields: {
      layer: 'role:a',
      hint: 'try again later, or compare with a build of this machine: img why role:a --against role:a@previous',
    },
  })
  await expect(asked).rejects.toThrow(
    /^cannot ask http:\/\/127\.0\.0\.1:1\/img for builds of role:a: http:\/\/127\.0\.0\.1:1\/img\/records\/\S+ cannot be reached: /,
  )
  expect(laptop.events).toEqual([])
  await build(shared.machine(shared.ci), 'one')
  const other = shared.machine(undefined, { IMG_REMOTES: `${down},${shared.url}` })
  expect(await why(other, 'one')).toContain('nothing that is in the key differs')
  expect(other.events[0]).toMatchObject({ event: 'warning', hint: 'it may hold a newer one' })
})

test('records that were sent before there were announcements: the next push announces them', async () => {
  const shared = sharedCache()
  const ci = shared.machine(shared.ci)
  await build(ci, 'one')
  const project = await fakeProject(ci, chain('one'))
  const record = (await project.store.latest('role:a'))!
  for (const path of entries(shared.folder)) if (!path.includes(record.key)) rmSync(join(shared.folder, path))
  await expect(why(ci, 'one')).rejects.toMatchObject({ code: 'RECORD_MISSING' })
  expect(await (await project.remotes())!.push(record)).toMatchObject([{ status: 'there' }])
  expect(await why(ci, 'one')).toContain('nothing that is in the key differs')
})

const entries = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .filter((path) => path.startsWith('records/'))
