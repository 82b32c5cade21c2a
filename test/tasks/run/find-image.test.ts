import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import type { RunContext } from '../../../tasks/context.ts'
import { layer } from '../../../tasks/plan/declare.ts'
import { findImage, findImageBefore, findRecord } from '../../../tasks/run/find-image.ts'
import type { Project } from '../../../tasks/run/project.ts'
import { exampleRecord } from '../../rig/example-record.ts'
import { child, fakeProject, fixed, root } from '../../rig/fake-project.ts'
import { testContext } from '../../rig/run-context.ts'

const keys = [`${'1'.repeat(8)}${'a'.repeat(56)}`, `${'1'.repeat(8)}${'b'.repeat(56)}`] as const

let context: RunContext
let project: Project

/** Two builds of base:a, as the runs of this machine and the store know them. */
beforeEach(async () => {
  context = testContext()
  const install = layer('install:a', root(''))
  project = await fakeProject(context, [install, child('base:a', install, fixed([]))])
  mkdirSync(join(context.cacheDir, 'runs'), { recursive: true })
  for (const [number, key] of keys.entries()) {
    const disk = join(context.root, `${number}.bin`)
    writeFileSync(disk, `disk ${number}`)
    const artifact = await project.store.put({ 'disk.raw': disk })
    await project.store.save(exampleRecord({ layer: 'base:a', key, artifact, started: number }))
    const run = {
      format: 1,
      id: `2026010${number}T000000000-0000`,
      status: 'ok',
      root: context.root,
      layers: [{ name: 'base:a', status: 'built', key }],
    }
    writeFileSync(join(context.cacheDir, 'runs', `${run.id}.json`), JSON.stringify(run))
  }
})

test.each([
  ['base:a', 1],
  ['base:a@previous', 0],
  [keys[0], 0],
  [keys[1].slice(0, 9), 1],
])('%s is a build', async (written, number) => {
  const key = keys[number] ?? ''
  expect(await findRecord(project, written)).toMatchObject({ key })
  expect(await findImage(project, written, context.root)).toMatchObject({
    title: `base:a ${key.slice(0, 12)}`,
    build: { record: { key } },
  })
})

test('a file counts before a layer, and belongs to nobody', async () => {
  writeFileSync(join(context.root, 'base:a'), '')
  const path = join(context.root, 'base:a')
  const found = await findImage(project, 'base:a', context.root)
  expect(found).toEqual({ title: 'base:a', path: found.path })
  expect(await found.path()).toBe(path)
})

test('the build before the newest of a layer', async () => {
  expect(await findImageBefore(project, 'base:a', context.root)).toMatchObject({
    build: { record: { key: keys[0] } },
  })
})

test.each([
  ['0.bin', '0.bin is one image, and a difference takes two'],
  ['base:a@previous', 'base:a@previous is one image, and a difference takes two'],
  [keys[1], `${keys[1]} is one image, and a difference takes two`],
])('%s has none before it', async (written, message) => {
  await expect(findImageBefore(project, written, context.root)).rejects.toMatchObject({
    code: 'USAGE',
    message,
    fields: { hint: 'name a second one, or a layer alone for its two newest builds', found: written },
  })
})

test.each([
  ['./none.raw', 'INPUT_MISSING', 'there is no file ./none.raw'],
  ['disk.qcow2', 'INPUT_MISSING', 'there is no file disk.qcow2'],
  ['base:b', 'LAYER_UNKNOWN', 'there is no layer base:b'],
  ['*', 'USAGE', '* is more than one layer'],
  ['install:a', 'RECORD_MISSING', 'install:a was never built here'],
  ['base:a@first', 'USAGE', 'base:a@first: after @ only previous is known'],
  ['base:a@previous@previous', 'USAGE', 'base:a@previous@previous: after @ only previous is known'],
  ['11111111', 'RECORD_MISSING', '2 keys begin with 11111111'],
  ['22222222', 'RECORD_MISSING', 'no key begins with 22222222'],
  ['3'.repeat(64), 'RECORD_MISSING', '333333333333 is not in the cache: not built yet'],
])('%s is %s', async (written, code, message) => {
  await expect(findImage(project, written, context.root)).rejects.toMatchObject({ code, message })
})
