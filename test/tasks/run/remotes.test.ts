// Builds by the fake backend on machines that share a cache.

import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { openContent } from '../../../cache/mirror/content.ts'
import { fakeBackend } from '../../../tasks/backends/fake.ts'
import { planBuild, runBuild } from '../../../tasks/build.ts'
import type { RunContext } from '../../../tasks/context.ts'
import type { ImgEvent } from '../../../tasks/events.ts'
import { layer } from '../../../tasks/plan/declare.ts'
import type { Layer, Recipe } from '../../../tasks/plan/recipe.ts'
import type { Step } from '../../../tasks/plan/step.ts'
import type { Pushed } from '../../../tasks/run/remotes.ts'
import { packagesOf, renderPackages } from '../../../tasks/run/used-packages.ts'
import { child, fakeProject, fixed, root, write } from '../../rig/fake-project.ts'
import { sharedCache } from '../../rig/shared-cache.ts'

// A remote that is down is really waited for.
vi.setConfig({ testTimeout: 60_000 })

const chain = (content = 'r'): readonly Layer[] => {
  const install = layer('install:a', root('a'))
  const base = child('base:a', install, fixed([write('/etc/base', 'b')]))
  return [install, base, child('role:a', base, fixed([write('/etc/role', content)]))]
}

async function build(
  context: RunContext,
  selectors: readonly string[] = [],
  layers = chain(),
): Promise<{ outcomes: Record<string, string>; started: readonly string[] }> {
  const project = await fakeProject(context, layers)
  const backend = fakeBackend()
  const result = await runBuild(project, selectors, { mode: 'fail-fast', check: false, backends: [backend] })
  await (await project.remotes())?.settle()
  return {
    outcomes: Object.fromEntries(result.layers.map(({ name, outcome }) => [name, outcome.status])),
    started: backend.started,
  }
}

const warnings = ({ events }: { readonly events: readonly ImgEvent[] }): readonly string[] =>
  events.flatMap((event) => (event.event === 'warning' ? [event.text] : []))

test('what CI built, a laptop fetches: the layer it wants and none of those below', async () => {
  const shared = sharedCache()
  await build(shared.machine(shared.ci))
  const laptop = shared.machine()
  const plan = await planBuild(await fakeProject(laptop, chain()), ['role:a'])
  expect(plan.layers.map(({ name, action, reason }) => `${name} ${action}: ${reason}`)).toEqual([
    'install:a skip: not needed: what stands on it is cached',
    'base:a skip: not needed: what stands on it is cached',
    `role:a fetch: cached in ${shared.folder}`,
  ])
  const { outcomes, started } = await build(laptop, ['role:a'])
  expect(outcomes).toEqual({ 'role:a': 'fetched' })
  expect(started).toEqual([])
  expect((await build(laptop, ['role:a'])).outcomes).toEqual({ 'role:a': 'reused' })
  expect(warnings(laptop)).toEqual([])
})

test('the packages of a build go with it, and come by their digests', async () => {
  const shared = sharedCache()
  const machine = shared.machine(shared.ci)
  await build(machine)
  const project = await fakeProject(machine, chain())
  const bytes = Buffer.from('a package')
  const file = {
    sha256: await openContent(join(machine.cacheDir, 'mirror')).keep(bytes),
    size: bytes.length,
  }
  const record = (await project.store.latest('role:a'))!
  await project.store.writeValue(packagesOf(record.key), renderPackages([file]))
  const [pushed] = await (await project.remotes())!.push(record)
  expect(pushed).toMatchObject({ status: 'there' })
  expect(pushed!.sent).toBeGreaterThan(bytes.length)
  expect((await (await project.remotes())!.push(record))[0]!.sent).toBe(0)
  const blob = join(shared.folder, 'blobs', file.sha256.slice(0, 2), file.sha256)
  truncateSync(blob, 3)
  expect((await (await project.remotes())!.push(record))[0]!.sent).toBe(bytes.length)

  const laptop = shared.machine()
  const remotes = (await (await fakeProject(laptop, chain())).remotes())!
  expect(await remotes.readFile(file)).toEqual(bytes)
  expect(await remotes.readFile({ sha256: '0'.repeat(64) })).toBeUndefined()
  const digest = createHash('sha256').update('a pockage').digest('hex')
  rmSync(blob)
  writeFileSync(blob, 'a pockage')
  expect(await remotes.readFile(file)).toBeUndefined()
  expect(warnings(laptop)).toEqual([
    `${shared.folder} gives other bytes as blob ${file.sha256}: they are ${digest}`,
  ])
})

test('a list of packages of which one is gone is not spoken of, and the rest is there', async () => {
  const shared = sharedCache()
  const machine = shared.machine(shared.ci)
  await build(machine)
  const project = await fakeProject(machine, chain())
  const bytes = Buffer.from('a package')
  const sha256 = await openContent(join(machine.cacheDir, 'mirror')).keep(bytes)
  const record = (await project.store.latest('role:a'))!
  const gone = { sha256: '0'.repeat(64), size: 1 }
  await project.store.writeValue(
    packagesOf(record.key),
    renderPackages([gone, { sha256, size: bytes.length }]),
  )
  expect((await (await project.remotes())!.push(record))[0]!.sent).toBe(bytes.length)
  expect((await (await project.remotes())!.readFile({ sha256 }))?.toString()).toBe('a package')
})

test('what is not there is built on what is fetched', async () => {
  const shared = sharedCache()
  await build(shared.machine(shared.ci))
  const laptop = shared.machine()
  const { outcomes, started } = await build(laptop, ['role:a'], chain('changed'))
  expect(outcomes).toEqual({ 'base:a': 'fetched', 'role:a': 'built' })
  expect(started).toEqual(['role:a'])
})

test('a layer that comes out as it was lets what stands on it be fetched, as far as it is wanted', async () => {
  const shared = sharedCache()
  await build(shared.machine(shared.ci))
  const undone: readonly Step[] = [
    { do: 'mkdir', path: '/srv/x', mode: '0755' },
    { do: 'remove', paths: ['/srv/x'] },
  ]
  const begin = root('a')
  const other: Recipe = { ...begin, steps: (facts) => [...undone, ...begin.steps(facts)] }
  const install = layer('install:a', other)
  const base = child('base:a', install, fixed([write('/etc/base', 'b')]))
  const layers = [install, base, child('role:a', base, fixed([write('/etc/role', 'r')]))]
  const laptop = shared.machine()
  const { outcomes, started } = await build(laptop, ['role:a'], layers)
  expect(started).toEqual(['install:a'])
  expect(outcomes).toEqual({ 'install:a': 'built', 'base:a': 'unchanged', 'role:a': 'fetched' })
  const project = await fakeProject(laptop, layers)
  expect(await project.store.latest('role:a')).toBeDefined()
  expect(await project.store.latest('base:a')).toBeUndefined()
})

test('a laptop without key writes nothing, one with a key its own namespace, which others do not read', async () => {
  const shared = sharedCache()
  await build(shared.machine())
  expect(readdirSync(shared.folder)).toEqual([])
  await build(shared.machine(shared.alice))
  expect(readdirSync(join(shared.folder, 'records'))).toEqual(['dev'])
  expect((await build(shared.machine(), ['role:a'])).outcomes).toEqual({
    'install:a': 'built',
    'base:a': 'built',
    'role:a': 'built',
  })
  expect((await build(shared.machine(shared.ci), ['role:a'])).outcomes).toMatchObject({ 'role:a': 'built' })
  expect((await build(shared.machine(shared.alice), ['role:a'])).outcomes).toEqual({ 'role:a': 'fetched' })
})

test('an entry somebody touched is reported, and the build goes on', async () => {
  const shared = sharedCache()
  await build(shared.machine(shared.ci))
  for (const path of filesBelow(join(shared.folder, 'records'))) {
    writeFileSync(path, readFileSync(path, 'utf8').replace('"sig":"', '"sig":"AAAA'))
  }
  const laptop = shared.machine()
  expect((await build(laptop, ['role:a'])).outcomes).toMatchObject({ 'role:a': 'built' })
  expect(warnings(laptop)[0]).toMatch(
    new RegExp(
      `^${shared.folder} has an entry that is not to be trusted \\(records/main/[0-9a-f]{2}/[0-9a-f]{64}/${shared.ci.own.id}\\): ` +
        `the entry has no valid signature of ${shared.ci.own.id.slice(0, 12)}$`,
    ),
  )
})

test('blobs that are gone or wrong are built instead', async () => {
  const shared = sharedCache()
  await build(shared.machine(shared.ci))
  for (const path of filesBelow(join(shared.folder, 'blobs'))) writeFileSync(path, 'nonsense')
  const laptop = shared.machine()
  expect((await build(laptop)).outcomes).toEqual({
    'install:a': 'built',
    'base:a': 'built',
    'role:a': 'built',
  })
  expect(warnings(laptop)[0]).toMatch(
    new RegExp(`^cannot fetch install:a from ${shared.folder}: ${shared.folder} gives other bytes as blob `),
  )
  rmSync(join(shared.folder, 'blobs'), { recursive: true })
  const other = shared.machine()
  expect((await build(other)).outcomes).toEqual({
    'install:a': 'built',
    'base:a': 'built',
    'role:a': 'built',
  })
})

test('a remote that is down is said once for reading and at most once for sending, and costs little', async () => {
  const shared = sharedCache()
  const laptop = shared.machine(shared.alice, { IMG_REMOTES: `http://127.0.0.1:1/img,${shared.url}` })
  expect((await build(laptop)).outcomes).toEqual({
    'install:a': 'built',
    'base:a': 'built',
    'role:a': 'built',
  })
  const sending = warnings(laptop).filter((text) => text.includes(' was not sent to '))
  expect(sending.length).toBeLessThan(2)
  expect(warnings(laptop)).toHaveLength(1 + sending.length)
  expect(warnings(laptop).find((text) => text.startsWith('http'))).toMatch(
    /^http:\/\/127\.0\.0\.1:1\/img\/records\/\S+ cannot be reached: /,
  )
  // The other one got everything.
  expect((await build(shared.machine(shared.alice))).outcomes).toEqual({
    'install:a': 'fetched',
    'base:a': 'fetched',
    'role:a': 'fetched',
  })
})

test('what was asked for by name fails by name', async () => {
  const shared = sharedCache()
  const ci = shared.machine(shared.ci)
  await build(ci)
  const project = await fakeProject(ci, chain())
  const record = await project.store.latest('role:a')
  rmSync(join(shared.folder, 'blobs'), { recursive: true })
  rmSync(join(shared.folder, 'records'), { recursive: true })
  const remotes = await project.remotes()
  expect(await remotes?.push(record!)).toEqual([
    { remote: shared.folder, namespace: 'main', status: 'created', sent: expect.any(Number) },
  ])
  const found = await remotes?.find(record!.key)
  rmSync(join(shared.folder, 'blobs'), { recursive: true })
  const { mapDigest } = record!.artifact['disk.raw']!
  await expect(remotes?.fetch(found!)).rejects.toMatchObject({
    code: 'REMOTE_FAILED',
    message: `cannot fetch role:a from ${shared.folder}: ${shared.folder} lacks the blob ${mapDigest}`,
    fields: { layer: 'role:a', hint: 'try again later, or build without it: IMG_REMOTES= img build' },
  })
  const reader = await fakeProject(shared.machine(), chain())
  await expect((await reader.remotes())?.push(record!)).rejects.toMatchObject({
    code: 'REMOTE_FAILED',
    message: `there is no key to write to ${shared.folder} with`,
  })
})

test.each([
  ['has lost', (path: string) => rmSync(path)],
  ['holds cut short', (path: string) => truncateSync(path, 10)],
  ['holds empty', (path: string) => truncateSync(path, 0)],
])('a push mends what the remote %s', async (_, damage) => {
  const shared = sharedCache()
  const ci = shared.machine(shared.ci)
  await build(ci)
  const pushed = async (): Promise<readonly Pushed[]> => {
    const project = await fakeProject(ci, chain())
    const pushes: Pushed[] = []
    for (const name of ['install:a', 'base:a', 'role:a'])
      pushes.push(...(await (await project.remotes())!.push((await project.store.latest(name))!)))
    return pushes
  }
  // Not announcements, of which the next one counts.
  const blobs = filesBelow(join(shared.folder, 'blobs')).filter((path) => !isAnnouncement(path))
  const before = blobs.map((path) => readFileSync(path))
  for (const path of blobs) damage(path)
  const pushes = await pushed()
  expect(pushes.map(({ status }) => status)).toEqual(['there', 'there', 'there'])
  expect(pushes.reduce((sum, one) => sum + one.sent, 0)).toBe(Buffer.concat(before).length)
  for (const [place, path] of blobs.entries()) expect(readFileSync(path)).toEqual(before[place])
  expect((await pushed()).map(({ sent }) => sent)).toEqual([0, 0, 0])
})

test('without keys no remote is asked', async () => {
  const shared = sharedCache()
  await build(shared.machine(shared.ci))
  const laptop = shared.machine()
  rmSync(join(laptop.root, 'keys.json'))
  expect((await build(laptop)).outcomes).toEqual({
    'install:a': 'built',
    'base:a': 'built',
    'role:a': 'built',
  })
})

test('pinned fingerprints narrow whom we believe', async () => {
  const shared = sharedCache()
  await build(shared.machine(shared.ci))
  const other = shared.machine(undefined, { IMG_TRUST: shared.alice.own.id })
  expect((await build(other, ['role:a'])).outcomes).toMatchObject({ 'role:a': 'built' })
  const pinned = shared.machine(undefined, { IMG_TRUST: `sha256:${shared.ci.own.id}` })
  expect((await build(pinned, ['role:a'])).outcomes).toEqual({ 'role:a': 'fetched' })
})

const isAnnouncement = (path: string): boolean => readFileSync(path, 'utf8').startsWith('{"key"')

const filesBelow = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
