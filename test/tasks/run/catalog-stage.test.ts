import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { listPlugins, listTree, sha256, stageTree, treeDigest } from '../../../tasks/run/catalog-stage.ts'
import { tempFolder, writeFiles } from '../../rig/temp-folder.ts'

test('a tree is laid out as it was, with modes that no umask decides', async () => {
  const environment = exampleTree()
  chmodSync(join(environment, 'm/files/tree/a'), 0o600)
  const entries = (await listTree(environment, 'm/files/tree')) ?? []
  expect(entries.map(({ path, kind, mode, content }) => [path, kind, mode, content])).toEqual([
    ['', 'folder', '0755', ''],
    ['a', 'file', '0644', sha256('A')],
    ['empty', 'folder', '0755', ''],
    ['link', 'link', '0755', 'sub/run'],
    ['sub', 'folder', '0755', ''],
    ['sub/run', 'file', '0755', sha256('#!/bin/sh\n')],
  ])
  const to = join(tempFolder(), 'sources/d1')
  await stageTree(environment, { entries, to })
  expect(readdirSync(to).toSorted()).toEqual(['a', 'empty', 'link', 'sub'])
  expect(readFileSync(join(to, 'a'), 'utf8')).toBe('A')
  expect(readlinkSync(join(to, 'link'))).toBe('sub/run')
  expect(['a', 'sub', 'sub/run'].map((path) => lstatSync(join(to, path)).mode & 0o777)).toEqual([
    0o644, 0o755, 0o755,
  ])
})

test('a source may be one file; what is not there is nothing', async () => {
  const environment = exampleTree()
  const entries = (await listTree(environment, 'm/files/tree/a')) ?? []
  expect(entries.map(({ path, kind }) => [path, kind])).toEqual([['', 'file']])
  const to = join(tempFolder(), 'a')
  await stageTree(environment, { entries, to })
  expect(readFileSync(to, 'utf8')).toBe('A')
  expect(await listTree(environment, 'm/files/none')).toBeUndefined()
})

test('whatever changes in a tree changes its digest', async () => {
  const digests = new Set<string>()
  const environment = exampleTree()
  const tree = join(environment, 'm/files/tree')
  const changes = [
    () => writeFileSync(join(tree, 'a'), 'B'),
    () => chmodSync(join(tree, 'a'), 0o755),
    () => writeFileSync(join(tree, 'new'), ''),
    () => mkdirSync(join(tree, 'folder')),
    () => symlinkSync('elsewhere', join(tree, 'link2')),
  ]
  for (const change of [(): void => undefined, ...changes]) {
    change()
    digests.add(treeDigest((await listTree(environment, 'm/files/tree')) ?? []))
  }
  expect(digests.size).toBe(changes.length + 1)
})

test("modules' lib become one tree, the first module having precedence", async () => {
  const environment = tempFolder({
    'one/lib/facter/x.rb': '1',
    'two/lib/facter/x.rb': '2',
    'two/lib/puppet/type/y.rb': 'y',
  })
  const plugins = await listPlugins(environment, [
    { name: 'one', path: 'one' },
    { name: 'two', path: 'two' },
    { name: 'bare', path: 'bare' },
  ])
  expect(plugins.filter(({ kind }) => kind === 'file').map(({ path, from }) => [path, from])).toEqual([
    ['facter/x.rb', 'one/lib/facter/x.rb'],
    ['puppet/type/y.rb', 'two/lib/puppet/type/y.rb'],
  ])
  const to = join(tempFolder(), 'plugins')
  mkdirSync(to)
  await stageTree(environment, { entries: plugins, to })
  expect(readFileSync(join(to, 'facter/x.rb'), 'utf8')).toBe('1')
})

test('a file that changed since is not used', async () => {
  const environment = exampleTree()
  const entries = (await listTree(environment, 'm/files/tree')) ?? []
  writeFiles(environment, { 'm/files/tree/a': 'changed' })
  const staging = stageTree(environment, { entries, to: join(tempFolder(), 'x') })
  await expect(staging).rejects.toMatchObject({
    code: 'INPUT_CHANGED',
    message: 'm/files/tree/a changed while it was being used',
  })
})

function exampleTree(): string {
  const environment = tempFolder({ 'm/files/tree/a': 'A', 'm/files/tree/sub/run*': '#!/bin/sh\n' })
  mkdirSync(join(environment, 'm/files/tree/empty'))
  symlinkSync('sub/run', join(environment, 'm/files/tree/link'))
  return environment
}
