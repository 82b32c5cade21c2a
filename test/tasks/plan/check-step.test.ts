import { expect, test } from 'vitest'
import { checkStep } from '../../../tasks/plan/check-step.ts'
import type { Step } from '../../../tasks/plan/step.ts'
import { beginning, recipe, run, write } from './sample.ts'

const inputs = {
  packages: { kind: 'apt', suite: 'trixie', components: ['main'], updates: true, security: true },
  tree: { kind: 'files', base: 'etc', patterns: ['**'] },
  catalog: { kind: 'catalog', environment: 'puppet', node: 'n', role: 'r', facts: {} },
  script: { kind: 'script', run: () => {} },
} as const
const middle = { recipe: recipe({ inputs }), first: false, last: false }

test.each<Step>([
  write('/etc/motd'),
  run('true'),
  { do: 'run', argv: ['apt-get', 'update'], apt: 'packages' },
  { do: 'mkdir', path: '/srv/a b', mode: '1777' },
  { do: 'link', path: '/etc/a', target: '../b' },
  { do: 'remove', paths: ['/var/log/*.log', '/tmp/[a-z]?'] },
  { do: 'copy', input: 'tree', to: '/' },
  { do: 'script', input: 'script' },
  { do: 'puppet', input: 'catalog', catalog: {}, sources: {}, plugins: 'p', keepAgent: false },
  { do: 'apt', apt: 'packages', install: [], remove: [], recommends: false },
])('fine: %j', (step) => {
  expect(checkStep(step, middle)).toBeUndefined()
})

test('a root is filled first and closed last', () => {
  const ends = { recipe: beginning({ inputs }), first: true, last: true }
  const bootstrap: Step = {
    do: 'bootstrap',
    apt: 'packages',
    suite: 'trixie',
    variant: 'minbase',
    packages: [],
    recommends: false,
    debconf: [],
  }
  expect(checkStep(bootstrap, ends)).toBeUndefined()
  expect(checkStep({ do: 'archive' }, ends)).toBeUndefined()
  const late = {
    step: 'bootstrap',
    message: 'fills an empty root, so it can only be the first step of a layer without parent',
    hint: 'move it to the start of a recipe with parent: none',
  }
  expect(checkStep(bootstrap, { ...ends, first: false })).toEqual(late)
  expect(checkStep(bootstrap, { ...middle, first: true })).toEqual(late)
  const early = {
    step: 'archive',
    message: 'closes a new root, so it can only be the last step of a recipe without parent',
    hint: 'move it to the end of a recipe with parent: none',
  }
  expect(checkStep({ do: 'archive' }, { ...ends, last: false })).toEqual(early)
  expect(checkStep({ do: 'archive' }, { ...middle, last: true })).toEqual(early)
})

test.each<[unknown, string | undefined, string, string, string?]>([
  [undefined, undefined, 'is not a step', 'a step is an object with `do`'],
  ['write', undefined, 'is not a step', 'a step is an object with `do`'],
  [{ do: 'wirte' }, undefined, 'there is no step "wirte"', 'did you mean write?', 'wirte'],
  [{ do: 'seal', epoch: 0 }, 'seal', 'is added by the engine', 'leave it out'],
  [{ do: 'run', argv: [] }, 'run', 'argv names no program', 'argv is the program and its arguments'],
  [{ do: 'run', argv: 'ls -l' }, 'run', 'argv names no program', 'argv is the program and its arguments'],
  [
    { do: 'run', argv: ['x'], apt: 'package' },
    'run',
    'apt names the input "package", which the recipe does not declare',
    'did you mean packages?',
    'package',
  ],
  [
    { do: 'copy', input: 'catalog', to: '/x' },
    'copy',
    'input names the input catalog, which is of kind catalog, not files',
    'files inputs: tree',
    'catalog',
  ],
  [
    { do: 'copy', input: 'constructor', to: '/x' },
    'copy',
    'input names the input "constructor", which the recipe does not declare',
    'files inputs: tree',
    'constructor',
  ],
  [{ do: 'script' }, 'script', 'input is not text', 'name an input the recipe declares'],
  [
    write('relative'),
    'write',
    'path is "relative", which is not absolute',
    'for example "/relative"',
    'relative',
  ],
  [
    write('/a/../b'),
    'write',
    'path is "/a/../b", which has ".." in it',
    'write the path it means',
    '/a/../b',
  ],
  [write('/a//b/'), 'write', 'path is "/a//b/", which is not normalised', 'write "/a/b"', '/a//b/'],
  [write('/./a'), 'write', 'path is "/./a", which is not normalised', 'write "/a"', '/./a'],
  [write('/'), 'write', 'path is "/", which is the root itself', 'name a path below it', '/'],
  [write('/a\0'), 'write', String.raw`path is "/a\u0000", which has a NUL character`, 'remove it', '/a\0'],
  [{ do: 'mkdir', mode: '0755' }, 'mkdir', 'path is not text', 'write an absolute path'],
  [
    { do: 'mkdir', path: '/a', mode: '755' },
    'mkdir',
    'mode is "755", not four octal digits as text',
    'for example "0644"',
    '"755"',
  ],
  [
    { do: 'write', path: '/a', content: '', mode: 420 },
    'write',
    'mode is 420, not four octal digits as text',
    'for example "0644"',
    '420',
  ],
  [{ do: 'link', path: '/a', target: '' }, 'link', 'target is empty', 'say what the link points to'],
  [
    { do: 'remove', paths: ['/a', 'b'] },
    'remove',
    'paths is "b", which is not absolute',
    'for example "/b"',
    'b',
  ],
  [
    { do: 'copy', input: 'tree', to: '/../etc' },
    'copy',
    'to is "/../etc", which has ".." in it',
    'write the path it means',
    '/../etc',
  ],
])('wrong: %j', (...[step, name, message, hint, found]) => {
  expect(checkStep(step as Step, middle)).toEqual({
    step: name,
    message,
    hint,
    ...(found === undefined ? {} : { found }),
  })
})

const exporting = { recipe: recipe({ mode: 'export' }), first: false, last: false }

test.each<Step>([
  { do: 'convert', to: 'disk.qcow2', format: 'qcow2', compress: true },
  { do: 'extract', from: '/boot/vmlinuz-*', to: 'vmlinuz' },
  { do: 'emit', to: 'blobs/sha256/x.json', text: '{{size disk.qcow2}}' },
  { do: 'checksums', to: 'SHA256SUMS', algorithm: 'sha256' },
  { do: 'pack', to: 'libvirt.box', files: ['box.img'], compress: 'gzip' },
])('fine in mode export: %j', (step) => {
  expect(checkStep(step, exporting)).toBeUndefined()
})

test.each<[Step, typeof middle, string, string]>([
  [
    run('true'),
    exporting,
    'changes an image, which mode export does not',
    'put it into a layer below the target',
  ],
  [
    { do: 'emit', to: 'a', text: '' },
    middle,
    'makes a file, which mode chroot does not',
    `give the recipe mode: 'export'`,
  ],
  [
    { do: 'emit', to: '../a', text: '' },
    exporting,
    'to is "../a", not the name of a file',
    'for example "disk.qcow2"',
  ],
  [
    { do: 'pack', to: 'a', files: ['/b'], compress: 'none' },
    exporting,
    'files is "/b", not the name of a file',
    'for example "disk.qcow2"',
  ],
  [
    { do: 'emit', to: 'a', text: '{{colour}}' },
    exporting,
    'the text has {{colour}}, which means nothing',
    'there is {{size FILE}}, {{sha256 FILE}}, {{sha512 FILE}}, {{images FILE}}, {{disk-bytes}}, {{disk-gib}}, {{machine}}, {{deb-arch}}, {{key}}, {{uuid NAME}}, {{hex6 NAME}}',
  ],
])('refused: %j', (...[step, place, message, hint]) => {
  expect(checkStep(step, place)).toMatchObject({ step: step.do, message, hint })
})
