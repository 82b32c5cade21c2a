import { expect, test } from 'vitest'
import { followFolders } from '../../../tasks/diff/tree.ts'
import { memoryTree } from '../../rig/memory-tree.ts'

const tree = memoryTree({
  bin: { kind: 'link', target: 'usr/bin' },
  'usr/bin/sh': { kind: 'link', target: 'dash' },
  'usr/lib': { kind: 'folder' },
  lib: { kind: 'link', target: '/usr/./lib' },
  'var/run': { kind: 'link', target: '../run' },
  circle: { kind: 'link', target: 'circle/more' },
})

test.each([
  ['/bin/sh', 'usr/bin/sh'],
  ['/bin/', 'bin'],
  ['/lib/systemd/system', 'usr/lib/systemd/system'],
  ['/var/run/lock', 'run/lock'],
  ['//etc/./motd/', 'etc/motd'],
  ['/../etc', 'etc'],
])('%s is %s', (path, real) => {
  expect(followFolders(tree, path)).toBe(real)
})

test('links in a circle end', () => {
  expect(followFolders(tree, '/circle/x')).toMatch(/^circle\/more\/.*x$/)
})
