import { expect, test } from 'vitest'
import { isLeftOut, treeChanges, whiteoutOf, type Tree } from '../../../tasks/backends/oci-changes.ts'
import type { TarEntry } from '../../../tasks/backends/tar-entries.ts'

const entry = (path: string, over: Partial<TarEntry> = {}): TarEntry => ({
  path,
  type: '0',
  mode: 0o644,
  uid: 0,
  gid: 0,
  size: 1,
  mtime: 0,
  link: '',
  device: '',
  attributes: {},
  ...over,
})

const tree = (
  ...files: readonly (readonly [path: string, content: string, over?: Partial<TarEntry>])[]
): Tree => new Map(files.map(([path, content, over]) => [path, { entry: entry(path, over), content }]))

const folder = { type: '5', size: 0 }

test('only what changed is written, whatever changed about it', () => {
  const before = tree(['same', '1'], ['content', '1'], ['mode', '1'], ['cap', '1'])
  const after = tree(
    ['same', '1'],
    ['content', '2'],
    ['mode', '1', { mode: 0o755 }],
    ['cap', '1', { attributes: { 'security.capability': 'x' } }],
    ['new', '1'],
  )
  const { written, removed } = treeChanges(before, after)
  expect([...written]).toEqual(['content', 'mode', 'cap', 'new'])
  expect(removed).toEqual([])
})

test('what is gone is named once: a folder stands for what was in it', () => {
  const before = tree(
    ['a', '', folder],
    ['a/b', '1'],
    ['a/c', '', folder],
    ['a/c/d', '1'],
    ['e', '1'],
    ['ef', '1'],
  )
  expect(treeChanges(before, tree(['ef', '1'])).removed).toEqual(['a', 'e'])
  expect(treeChanges(before, tree(['a', '', folder], ['e', '1'], ['ef', '1'])).removed).toEqual([
    'a/b',
    'a/c',
  ])
})

test('what took the place of a folder hides what was in it', () => {
  const before = tree(['a', '', folder], ['a/b', '', folder], ['a/b/c', '1'])
  const link = { type: '2', size: 0, link: 'd' }
  const { written, removed } = treeChanges(before, tree(['a', '', link]))
  expect([[...written], removed]).toEqual([['a'], []])
})

test('all names of a file are written when one of them changes', () => {
  const hard = { type: '1', size: 0, link: 'one' }
  const before = tree(['one', '1'], ['two', '', hard], ['other', '1'])
  const another = tree(['one', '1'], ['three', '', hard], ['two', '', hard], ['other', '1'])
  expect([...treeChanges(before, another).written].toSorted()).toEqual(['one', 'three', 'two'])
  const content = tree(['one', '2'], ['two', '', hard], ['other', '1'])
  expect([...treeChanges(before, content).written].toSorted()).toEqual(['one', 'two'])
  expect(treeChanges(before, before).written.size).toBe(0)
})

test('a whiteout lies beside what it removes', () => {
  expect([whiteoutOf('a'), whiteoutOf('a/b/c')]).toEqual(['.wh.a', 'a/b/.wh.c'])
})

test.each([
  ['.', folder, true],
  ['lost+found', folder, true],
  ['dev/null', { type: '3' }, true],
  ['srv/disk', { type: '4' }, true],
  ['dev', folder, false],
  ['dev/log', {}, true],
  ['etc/fstab', {}, true],
  ['etc/fstab.d', folder, false],
  ['etc/grub.d/00_header', {}, true],
  ['vmlinuz.old', { type: '2' }, true],
  ['srv/vmlinuz', {}, false],
] as const)('%s is left out: %s', (path, over, left) => {
  expect(isLeftOut(entry(path, over), ['dev/', 'etc/fstab', 'etc/grub.d', 'vmlinuz*'])).toBe(left)
})
