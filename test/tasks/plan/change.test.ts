import { expect, test } from 'vitest'
import { type Change, renderChange, renderChanges } from '../../../tasks/plan/change.ts'

test.each<[Change, string]>([
  [{ kind: 'never-built' }, 'never built'],
  [{ kind: 'format' }, 'last built by another version of img, whose keys differ'],
  [{ kind: 'arch', was: 'amd64', now: 'arm64' }, 'architecture amd64 -> arm64'],
  [
    { kind: 'parent', slot: 'from', was: 'base:trixie', now: 'base:trixie' },
    'parent base:trixie has other content',
  ],
  [
    { kind: 'parent', slot: 'from', was: 'base:bookworm', now: 'base:trixie' },
    'parent is base:trixie, was base:bookworm',
  ],
  [{ kind: 'parent', slot: 'from', was: undefined, now: undefined }, 'parent has other content'],
  [
    { kind: 'parent', slot: 'tools', was: 'tools:trixie', now: 'tools:trixie' },
    'tool tree tools:trixie has other content',
  ],
  [{ kind: 'parent', slot: 'tools.2', was: undefined, now: 'tools:x' }, 'tool tree tools:x added'],
  [{ kind: 'parent', slot: 'tools', was: 'tools:x', now: undefined }, 'tool tree tools:x removed'],
  [
    { kind: 'file', input: '0.cfg', path: 'preseed/trixie.cfg', change: 'changed' },
    'preseed/trixie.cfg changed',
  ],
  [{ kind: 'file', input: '0.x', path: 'etc/a', change: 'added' }, 'etc/a added'],
  [{ kind: 'file', input: '0.x', path: 'etc/a', change: 'removed' }, 'etc/a removed'],
  [{ kind: 'file', input: '0.x', path: 'etc/a', change: 'mode' }, 'mode of etc/a changed'],
  [{ kind: 'input', input: '1.token', of: 'env', change: 'changed' }, 'environment value token changed'],
  [{ kind: 'input', input: '0.main', of: 'script', change: 'changed' }, 'script main changed'],
  [{ kind: 'input', input: '0.x', of: 'other', change: 'added' }, 'other x added'],
  [{ kind: 'step', step: 'write /etc/motd', change: 'added' }, 'step "write /etc/motd" added'],
  [{ kind: 'step', step: 'run update-grub', change: 'removed' }, 'step "run update-grub" removed'],
  [
    {
      kind: 'step',
      step: 'run sh -c test -e "$1" || {\n  echo "no such zone: $1" >&2\n  exit 1\n}',
      change: 'added',
    },
    'step "run sh -c test -e "$1" || { echo "no such zone: $1" >&2 exi…" added',
  ],
  [{ kind: 'order', step: undefined, of: 'steps' }, 'steps are in another order'],
  [{ kind: 'order', step: 'apt', of: 'install' }, 'install is in another order (apt step)'],
  [
    { kind: 'package', step: 'apt', list: 'install', package: 'ceph-mds', change: 'added' },
    'package ceph-mds added to apt step',
  ],
  [
    { kind: 'package', step: 'bootstrap', list: 'packages', package: 'vim', change: 'removed' },
    'package vim removed from bootstrap step',
  ],
  [
    { kind: 'package', step: 'apt', list: 'remove', package: 'nano', change: 'added' },
    'package nano is now removed by apt step',
  ],
  [
    { kind: 'package', step: 'apt', list: 'remove', package: 'nano', change: 'removed' },
    'package nano is no longer removed by apt step',
  ],
  [{ kind: 'debconf', line: 'a b select c', change: 'added' }, 'debconf answer "a b select c" added'],
  [
    { kind: 'field', step: 'disk', field: 'option disk', was: '4G', now: '6G' },
    'option disk 4G -> 6G (disk step)',
  ],
  [{ kind: 'field', step: 'write /etc/motd', field: 'content' }, 'content changed (write /etc/motd step)'],
  [
    {
      kind: 'resource',
      resource: 'File[/etc/ceph/ceph.conf]',
      change: 'changed',
      parameters: ['content', 'mode'],
    },
    'catalog: File[/etc/ceph/ceph.conf] content, mode changed',
  ],
  [
    { kind: 'resource', resource: 'Package[x]', change: 'added', parameters: [] },
    'catalog: Package[x] added',
  ],
  [{ kind: 'catalog', part: 'order' }, 'catalog: resources are in another order'],
  [{ kind: 'catalog', part: 'edges' }, 'catalog: relationships changed'],
  [{ kind: 'catalog', part: 'plugins' }, "catalog: Ruby code under a module's lib/ changed"],
  [{ kind: 'catalog', part: 'classes' }, 'catalog: classes changed'],
])('%j', (change, words) => {
  expect(renderChange(change)).toBe(words)
})

test('many changes are counted', () => {
  const files = ['a', 'b', 'c', 'd', 'e'].map((path): Change => ({
    kind: 'file',
    input: 'x',
    path,
    change: 'changed',
  }))
  expect(renderChanges(files)).toBe('a changed; b changed; c changed; and 2 more')
  expect(renderChanges(files.slice(0, 3))).toBe('a changed; b changed; c changed')
  expect(renderChanges([])).toBe('')
})
