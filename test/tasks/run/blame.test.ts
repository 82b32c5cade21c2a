// Small disks in a real store: who brought what is told by their blocks and records.

import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { layer } from '../../../tasks/plan/declare.ts'
import type { JsonValue, Step } from '../../../tasks/plan/step.ts'
import { blame } from '../../../tasks/run/blame.ts'
import type { Project } from '../../../tasks/run/project.ts'
import { exampleRecord } from '../../rig/example-record.ts'
import { makeExt4 } from '../../rig/ext4-image.ts'
import { child, fakeProject, fixed, root, write } from '../../rig/fake-project.ts'
import { testContext } from '../../rig/run-context.ts'
import { expectSchema } from '../../rig/schema.ts'

const keys = { install: '1'.repeat(64), base: '2'.repeat(64) }
const trees = { install: '3'.repeat(64), base: '4'.repeat(64) }

const status = (version: string): string =>
  `Package: tool\nStatus: install ok installed\nArchitecture: all\nVersion: ${version}\n`

interface Made {
  readonly name: 'install' | 'base'
  readonly files: Readonly<Record<string, string>>
  readonly steps: readonly Step[]
}

async function twoLayers(layers: readonly Made[]): Promise<Project> {
  const context = testContext()
  const install = layer('install:a', root(''))
  const project = await fakeProject(context, [install, child('base:a', install, fixed([]))])
  for (const { name, files, steps } of layers) {
    const folder = join(context.root, name)
    for (const [path, text] of Object.entries({ 'usr/bin/sh': '', ...files })) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text)
      chmodSync(join(folder, path), 0o644)
    }
    symlinkSync('usr/bin', join(folder, 'bin'))
    const disk = join(context.root, `${name}.raw`)
    await makeExt4(disk, { root: folder, size: '8M' })
    const above = name === 'base'
    await project.store.save(
      exampleRecord({
        layer: `${name}:a`,
        key: keys[name],
        treeDigest: trees[name],
        artifact: await project.store.put({ 'disk.raw': disk }),
        keyRecord: {
          phases: [{ steps: steps as unknown as JsonValue }],
          parents: above ? { from: trees.install } : {},
        },
        parents: above ? { 'install:a': { key: keys.install, treeDigest: trees.install } } : {},
      }),
    )
  }
  return project
}

const layers: readonly Made[] = [
  {
    name: 'install',
    files: {
      'etc/motd': 'one\n',
      'etc/old': 'old\n',
      'usr/bin/tool': 'x',
      'var/lib/dpkg/status': status('1.0'),
    },
    steps: [write('/etc/motd', 'one\n')],
  },
  {
    name: 'base',
    files: {
      'etc/motd': 'two\n',
      'usr/bin/tool': 'x',
      'usr/bin/more': 'y',
      'var/lib/dpkg/status': status('1.1'),
      'var/lib/dpkg/info/tool.list': '/bin/more\n',
    },
    steps: [write('/etc/motd', 'two\n')],
  },
]

const install = { layer: 'install:a', key: keys.install }
const base = { layer: 'base:a', key: keys.base }

test('a file of several layers, newest change first, down to the layer without a parent', async () => {
  const changes = await blame(await twoLayers(layers), 'base:a', '/etc/motd')
  expectSchema('blame', { changes })
  expect(changes).toMatchObject([
    { ...base, subject: '/etc/motd', change: 'changed', what: ['content'], step: 'write /etc/motd' },
    { ...install, subject: '/etc/motd', change: 'brought', what: [], step: 'write /etc/motd' },
  ])
})

test('a package by its versions, a removed file, and nothing of what is not there', async () => {
  const project = await twoLayers(layers)
  expect(await blame(project, 'base:a', 'tool')).toMatchObject([
    { ...base, subject: 'tool', change: 'changed', what: ['1.0 -> 1.1'] },
    { ...install, subject: 'tool', change: 'brought', what: ['1.0'] },
  ])
  expect(await blame(project, 'base:a', '/etc/old')).toMatchObject([
    { ...base, change: 'removed' },
    { ...install, change: 'brought' },
  ])
  expect(await blame(project, 'base:a', '/etc/none')).toEqual([])
})

test('a path through a linked folder, as users and dpkg write it', async () => {
  expect(await blame(await twoLayers(layers), 'base:a', '/bin/more')).toMatchObject([
    { ...base, subject: '/usr/bin/more', change: 'brought', package: 'tool' },
  ])
})

test('a layer whose parent is gone is not blamed for what the parent brought', async () => {
  const project = await twoLayers(layers.slice(1))
  await expect(blame(project, 'base:a', '/etc/motd')).rejects.toMatchObject({
    code: 'RECORD_MISSING',
    message: `base:a stands on install:a ${keys.install.slice(0, 12)}, which is not in the cache: not built yet`,
    fields: {
      hint: '`img build install:a` brings it back unless something of it changed since',
      layer: 'base:a',
    },
  })
})
