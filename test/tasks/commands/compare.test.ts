// Two small disks in a real store: what is compared is kept with both builds and answered from.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { compare } from '../../../tasks/commands/compare.ts'
import { show } from '../../../tasks/commands/show.ts'
import type { RunContext } from '../../../tasks/context.ts'
import { openProject } from '../../../tasks/run/project.ts'
import { exampleRecord } from '../../rig/example-record.ts'
import { makeExt4 } from '../../rig/ext4-image.ts'
import { fakeCall } from '../../rig/layer-disks.ts'
import { plainImgfile } from '../../rig/project.ts'
import { testContext } from '../../rig/run-context.ts'
import { expectSchema } from '../../rig/schema.ts'

const keys = { 'install:a': '1'.repeat(64), 'base:a': '2'.repeat(64) }

/** The identity of a filesystem counts. */
const mkfs = ['-U', 'c1b9d5a2-f162-11cf-9ece-0020afc76f16']

let clock = 0
let context: RunContext

beforeEach(async () => {
  clock = 0
  context = testContext({ now: () => clock })
  mkdirSync(join(context.root, 'files'))
  writeFileSync(join(context.root, 'imgfile.ts'), plainImgfile)
  const project = await openProject(context)
  for (const [layer, key] of Object.entries(keys)) {
    const tree = join(context.root, key)
    for (const folder of ['etc', 'usr']) mkdirSync(join(tree, folder), { recursive: true })
    writeFileSync(join(tree, 'etc/motd'), `${layer}\n`)
    const disk = join(context.root, `${key}.raw`)
    await makeExt4(disk, { root: tree, size: '4M', mkfs })
    const artifact = await project.store.put({ 'disk.raw': disk })
    await project.store.save(exampleRecord({ layer, key, artifact }))
  }
  await project.close()
})

async function run(
  options: Readonly<Record<string, unknown>> = {},
  json = false,
): Promise<{ status: number; printed: unknown }> {
  const call = fakeCall({ args: ['install:a', 'base:a'], options, json, cwd: context.root })
  const status = await compare.run(call, context)
  return { status, printed: call.printed[0] }
}

const showOf = async (layer: string): Promise<readonly string[]> => {
  const call = fakeCall({ args: [layer], cwd: context.root })
  await show.run(call, context)
  return String(call.printed[0])
    .split('\n')
    .filter((line) => line.startsWith('compared'))
}

const reviewed = (text: string): void => writeFileSync(join(context.root, 'compare.ignore'), text)

test('the same two disks are read once, until somebody asks again', async () => {
  const first = await run({}, true)
  expect(first).toMatchObject({ status: 1, printed: { equal: false, when: 0, cached: false } })
  expectSchema('compare', first.printed)
  clock = 3_600_000
  const second = await run({}, true)
  expect(second).toEqual({ status: 1, printed: { ...(first.printed as object), cached: true } })
  expectSchema('compare', second.printed)
  expect((await run()).printed).toMatch(
    /\ncached: compared 1 h 0 min ago; --again reads the disks once more\n$/,
  )
  expect((await run({ again: true }, true)).printed).toMatchObject({ when: 3_600_000, cached: false })
})

test('another list, or times that count, are another question', async () => {
  await run()
  reviewed('/etc/motd every layer greets in its own words\n')
  expect(await run({}, true)).toMatchObject({ status: 0, printed: { equal: true, cached: false } })
  expect(await run({}, true)).toMatchObject({ status: 0, printed: { equal: true, cached: true } })
  expect(await run({ times: true }, true)).toMatchObject({ printed: { cached: false } })
  reviewed('# nothing\n')
  expect(await run({}, true)).toMatchObject({ status: 1, printed: { equal: false, cached: true } })
})

test('show says with what a build was compared, when, and what came of it', async () => {
  expect(await showOf('base:a')).toEqual([])
  await run()
  expect(await showOf('base:a')).toEqual([
    'compared     with install:a 111111111111: 1 path differs, 1970-01-01T00:00:00.000Z',
  ])
  clock = 1000
  reviewed('/etc/motd every layer greets in its own words\n')
  await run()
  expect(await showOf('install:a')).toEqual([
    'compared     with base:a 222222222222: the same but for 1 reviewed path, 1970-01-01T00:00:01.000Z',
  ])
  const call = fakeCall({ args: ['base:a'], json: true, cwd: context.root })
  await show.run(call, context)
  expectSchema('record', call.printed[0])
  expect(call.printed[0]).toMatchObject({
    comparisons: [
      {
        with: { layer: 'install:a', key: keys['install:a'] },
        as: 'after',
        when: 1000,
        equal: true,
        differing: 0,
        reviewed: 1,
      },
    ],
  })
})

test('a file of nobody is compared each time', async () => {
  const file = join(context.root, 'other.raw')
  await makeExt4(file, { root: join(context.root, keys['base:a']), size: '4M', mkfs })
  for (let times = 0; times < 2; times++) {
    const call = fakeCall({ args: ['base:a', 'other.raw'], json: true, cwd: context.root })
    expect(await compare.run(call, context)).toBe(0)
    expect(call.printed[0]).toMatchObject({ equal: true, cached: false })
  }
})
