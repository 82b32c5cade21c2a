import { expect, test } from 'vitest'
import {
  indexProblems,
  readSection,
  toSection,
  type TemplateEntry,
} from '../../../cache/repository/template-entry.ts'
import { renderIndexText } from '../../../cache/repository/index-text.ts'

const entry: TemplateEntry = {
  id: 'ceph-node',
  name: 'Ceph storage node',
  osinfo: 'debian13',
  arch: 'x86_64',
  file: 'ceph-node-0123456789ab.xz',
  sha512: 'f'.repeat(128),
  revision: 17,
  format: 'raw',
  size: 4_294_967_296,
  compressedSize: 468_369_232,
  expand: '/dev/sda2',
  lvexpand: '/dev/vg/root',
  notes: { '': 'built by img\nsecond line', no: 'bygd av img' },
  aliases: ['ceph', 'storage'],
  hidden: true,
}

test('every field is written, in the order of virt-builder-repository, and read back', () => {
  expect(renderIndexText([toSection(entry)])).toBe(`[ceph-node]
name=Ceph storage node
osinfo=debian13
file=ceph-node-0123456789ab.xz
arch=x86_64
checksum[sha512]=${'f'.repeat(128)}
revision=17
format=raw
size=4294967296
compressed_size=468369232
expand=/dev/sda2
lvexpand=/dev/vg/root
notes=built by img
 second line
notes[no]=bygd av img
aliases=ceph storage
hidden=true
`)
  expect(readSection(toSection(entry))).toEqual(entry)
})

test('what is optional has the defaults of virt-builder', () => {
  const fields = [
    { key: 'arch', value: 'x86_64' },
    { key: 'file', value: 'a.xz' },
    { key: 'checksum', value: 'a'.repeat(128) },
    { key: 'size', value: '1' },
  ]
  expect(readSection({ id: 'a', fields })).toEqual({
    id: 'a',
    arch: 'x86_64',
    file: 'a.xz',
    sha512: 'a'.repeat(128),
    revision: 1,
    format: 'raw',
    size: 1,
    compressedSize: 0,
    notes: {},
    aliases: [],
    hidden: false,
  })
})

const changed = (key: string, value?: string): ReturnType<typeof toSection> => {
  const { id, fields } = toSection(entry)
  const others = fields.filter((field) => field.key !== key)
  return { id, fields: value === undefined ? others : [...others, { key, value }] }
}

test.each([
  ['arch', undefined, '[ceph-node] has no arch'],
  ['file', undefined, '[ceph-node] has no file'],
  ['file', '../a.xz', '[ceph-node] has file=../a.xz'],
  ['file', '/etc/passwd', '[ceph-node] has file=/etc/passwd'],
  ['file', 'https://example.org/a.xz', '[ceph-node] has file=https://example.org/a.xz'],
  ['file', '', '[ceph-node] has file='],
  ['checksum', undefined, '[ceph-node] has no checksum[sha512]'],
  ['checksum', 'abc', '[ceph-node] has checksum[sha512]=abc'],
  ['size', '0', '[ceph-node] has size=0'],
  ['size', undefined, '[ceph-node] has no size'],
  ['revision', '1.5', '[ceph-node] has revision=1.5'],
  ['hidden', 'yes', '[ceph-node] has hidden=yes'],
  ['format', 'vmdk', '[ceph-node] has format=vmdk'],
  ['expand', undefined, '[ceph-node] has lvexpand without expand'],
  ['expand', 'sda1', '[ceph-node] has expand=sda1'],
])('%s=%s is a problem', (key, value, problem) => {
  expect(indexProblems([changed(key, value)])).toEqual([problem])
})

test('names are unique for an architecture, and no alias hides anything', () => {
  const section = toSection(entry)
  expect(indexProblems([section, toSection({ ...entry, arch: 'aarch64' })])).toEqual([])
  expect(indexProblems([section, section])).toEqual(['[ceph-node] is there twice for x86_64'])
  const other = toSection({ ...entry, id: 'ceph', aliases: ['storage'] })
  expect(indexProblems([section, other])).toEqual([
    'the alias storage means both ceph-node and ceph',
    'the alias ceph of ceph-node hides the template ceph',
  ])
})
