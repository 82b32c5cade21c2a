import { expect, test } from 'vitest'
import { renderChange } from '../../../tasks/plan/change.ts'
import { explainSteps } from '../../../tasks/plan/explain-steps.ts'
import type { JsonValue, Step } from '../../../tasks/plan/step.ts'
import { run, write } from './sample.ts'

const inChroot = (steps: readonly Step[]): { mode: string; step: JsonValue }[] =>
  steps.map((step) => ({ mode: 'chroot', step: step as unknown as JsonValue }))

const words = (before: readonly Step[], now: readonly Step[]): string[] =>
  explainSteps(inChroot(before), inChroot(now)).map(renderChange)

const apt = (install: string[], remove: string[] = []): Step => ({
  do: 'apt',
  apt: '0.apt',
  install,
  remove,
  recommends: false,
})
const bootstrap = (debconf: string[], suite = 'trixie'): Step => ({
  do: 'bootstrap',
  apt: '0.apt',
  suite,
  variant: 'minbase',
  packages: ['linux-image-amd64'],
  recommends: false,
  debconf,
})
const disk = (size: number, timeout = 0, partition = 1024): Step => ({
  do: 'disk',
  layout: {
    size,
    table: 'gpt',
    partitions: [{ name: 'bios', size: partition * 1024, grow: false, content: { kind: 'bios' } }],
    boot: { bios: true, uefi: true, cmdline: 'console=ttyS0', timeout },
  },
})
const puppet = (content: string, plugins = 'p', source = 's'): Step => ({
  do: 'puppet',
  input: '0.catalog',
  catalog: { resources: [{ type: 'File', title: '/etc/ceph/ceph.conf', parameters: { content } }] },
  sources: { '/run/img/sources/ceph': source },
  plugins,
  keepAgent: false,
})

test.each<[string, Step[], Step[], string[]]>([
  ['nothing', [run('a'), write('/a')], [run('a'), write('/a')], []],
  [
    'a step put in the middle is one difference',
    [run('a'), run('b')],
    [run('a'), write('/x'), run('b')],
    ['step "write /x" added'],
  ],
  ['a step less', [run('a'), run('b')], [run('b')], ['step "run a" removed']],
  ['another order', [run('a'), run('b')], [run('b'), run('a')], ['steps are in another order']],
  ['equal steps are counted', [run('a'), run('a')], [run('a'), run('a'), run('a')], ['step "run a" added']],
  ['content', [write('/a', 'x')], [write('/a', 'y')], ['content changed (write /a step)']],
  ['a command', [run('a', 'x')], [run('a', 'y')], ['argv[1] "x" -> "y" (run a y step)']],
  ['a longer command', [run('a')], [run('a', 'b')], ['argv ["a"] -> ["a","b"] (run a b step)']],
  [
    'a mode and an owner',
    [write('/a')],
    [{ ...write('/a'), mode: '0600', owner: 'root' } as Step],
    ['mode "0644" -> "0600" (write /a step)', 'owner unset -> "root" (write /a step)'],
  ],
  [
    'packages',
    [apt(['a', 'b'], ['x'])],
    [apt(['a', 'ceph-mds'], [])],
    [
      'package ceph-mds added to apt step',
      'package b removed from apt step',
      'package x is no longer removed by apt step',
    ],
  ],
  ['order of packages', [apt(['a', 'b'])], [apt(['b', 'a'])], ['install is in another order (apt step)']],
  [
    'debconf answers',
    [bootstrap(['a b select c'])],
    [bootstrap(['a b select d'])],
    ['debconf answer "a b select d" added', 'debconf answer "a b select c" removed'],
  ],
  ['a suite', [bootstrap([])], [bootstrap([], 'sid')], ['suite "trixie" -> "sid" (bootstrap step)']],
  [
    'disk',
    [disk(4 * 2 ** 30)],
    [disk(6 * 2 ** 30, 5, 1536)],
    [
      'option disk 4G -> 6G (disk step)',
      'layout.partitions[0].size 1M -> 1572864 (disk step)',
      'layout.boot.timeout 0 -> 5 (disk step)',
    ],
  ],
  ['a catalog', [puppet('a')], [puppet('b')], ['catalog: File[/etc/ceph/ceph.conf] content changed']],
  [
    'plugins and sources',
    [puppet('a')],
    [puppet('a', 'q', 't')],
    ['catalog: source /run/img/sources/ceph changed', "catalog: Ruby code under a module's lib/ changed"],
  ],
  [
    'inputs renumbered by a recipe put before',
    [apt(['a'])],
    [run('x'), { ...apt(['a']), apt: '1.apt' } as Step],
    ['step "run x" added'],
  ],
  [
    'another input',
    [apt(['a'])],
    [{ ...apt(['a']), apt: '0.backports' } as Step],
    ['apt "0.apt" -> "0.backports" (apt step)'],
  ],
])('%s', (_, ...[before, now, expected]) => {
  expect(words(before, now)).toEqual(expected)
})

test('a mode', () => {
  const [boot, chroot] = ['boot', 'chroot'].map((mode) => [{ mode, step: { do: 'run', argv: ['a'] } }])
  expect(explainSteps(chroot ?? [], boot ?? []).map(renderChange)).toEqual([
    'mode chroot -> boot (run a step)',
  ])
})

test('a long value is not shown', () => {
  const [long, longer] = ['x'.repeat(50), 'x'.repeat(51)]
  expect(
    words([{ do: 'link', path: '/a', target: long }], [{ do: 'link', path: '/a', target: longer }]),
  ).toEqual(['target changed (link /a step)'])
})
