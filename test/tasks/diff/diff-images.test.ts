import { expect, test } from 'vitest'
import { diffImages, isEqual } from '../../../tasks/diff/diff-images.ts'
import { noise } from '../../../tasks/diff/path-patterns.ts'
import { renderDiff } from '../../../tasks/diff/render-diff.ts'
import type { ImageTree } from '../../../tasks/diff/tree.ts'
import { memoryTree } from '../../rig/memory-tree.ts'

const status = (packages: Readonly<Record<string, string>>): string =>
  Object.entries(packages)
    .map(
      ([name, version]) =>
        `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: ${version}\n`,
    )
    .join('\n')

const before = memoryTree({
  'etc/passwd': 'root:x:0:0:root:/root:/bin/bash\n',
  'etc/group': 'root:x:0:\n',
  'etc/motd': 'hello\nthere\n',
  'etc/machine-id': 'one\n',
  'var/lib/dpkg/status': status({ bash: '5.1', nginx: '1.0' }),
  'var/lib/dpkg/info/bash.list': '/bin/bash\n',
  'bin/bash': { text: 'old', mode: 0o755 },
  'usr/bin/tool': { text: 'x', mode: 0o755 },
  'boot/grub/grub.cfg': 'menuentry Linux {\n  linux /vmlinuz-1 root=/dev/sda quiet\n}\n',
})
const after = memoryTree({
  'etc/passwd': 'root:x:0:0:root:/root:/bin/bash\nceph:x:64045:64045::/var/lib/ceph:/bin/false\n',
  'etc/group': 'root:x:0:\nceph:x:64045:\n',
  'etc/motd': 'hello\n\u001b[31mworld\n',
  'etc/machine-id': 'two\n',
  'etc/systemd/system/multi-user.target.wants/ceph.service': { kind: 'link', target: '/lib/ceph.service' },
  'var/lib/dpkg/status': status({ bash: '5.2' }),
  'var/lib/dpkg/info/bash.list': '/bin/bash\n',
  'bin/bash': { text: 'new', mode: 0o755 },
  'usr/bin/tool': {
    text: 'x',
    mode: 0o4755,
    attributes: { 'security.capability': '\u0001\u0002' },
  },
  'boot/grub/grub.cfg': 'menuentry Linux {\n  linux /vmlinuz-1 root=/dev/sda\n}\n',
})
const names = { all: false, before: 'role:a', after: 'role:b' }

test('an administrator reads what changed, in that order, and nothing of it reaches the terminal raw', () => {
  const difference = diffImages(before, after, { times: false, ignore: noise })
  expect(renderDiff(difference, names)).toMatchInlineSnapshot(`
    "role:a -> role:b
    packages
        bash 5.1 -> 5.2
      - nginx 1.0
    users
      + ceph uid 64045 gid 64045 /var/lib/ceph /bin/false
    groups
      + ceph gid 64045
    setuid and setgid files
      + /usr/bin/tool 4755 0:0
    capabilities
      + /usr/bin/tool 0102
    systemd units
      + ceph.service enabled by multi-user.target
    kernel command line
        /vmlinuz-1 root=/dev/sda quiet -> root=/dev/sda
    files
        /boot/grub/grub.cfg content, 59 B -> 53 B
          @@ line 2
          -  linux /vmlinuz-1 root=/dev/sda quiet
          +  linux /vmlinuz-1 root=/dev/sda
        /etc/group content, 10 B -> 24 B
          @@ line 2
          +ceph:x:64045:
        /etc/motd content, 12 B -> 17 B
          @@ line 2
          -there
          +\\x1b[31mworld
        /etc/passwd content, 32 B -> 77 B
          @@ line 2
          +ceph:x:64045:64045::/var/lib/ceph:/bin/false
      + /etc/systemd/system/multi-user.target.wants/ceph.service -> /lib/ceph.service
        /usr/bin/tool mode 0755 -> 4755; security.capability
    2 files of packages named above; --all lists all
    size of all files: 285 B -> 265 B
    1 difference left out as noise; --noise shows them
    "
  `)
  expect(isEqual(difference)).toBe(false)
})

test('an image is equal to itself', () => {
  const difference = diffImages(before, before, { times: true, ignore: [] })
  expect(isEqual(difference)).toBe(true)
  expect(renderDiff(difference, names)).toBe('role:a -> role:b\nno difference\n')
})

test.each([
  ['kind', { kind: 'folder' as const }],
  ['mode', { mode: 0o600 }],
  ['owner', { gid: 5 }],
  ['device', { device: '1:3' }],
  ['mtime', { mtime: 5 }],
  ['user.note', { attributes: { 'user.note': 'x' } }],
])('%s alone is a difference', (what, over) => {
  const one = memoryTree({ a: 'text' })
  const other = memoryTree({ a: { text: 'text', ...over } })
  expect(diffImages(one, other, { times: true, ignore: [] }).files).toMatchObject([
    { path: 'a', what: [what] },
  ])
})

test('content of equal length is compared byte by byte, however it comes in parts', () => {
  const one = memoryTree({ a: 'abcdefgh', b: 'abcdefgh' })
  const other = memoryTree({
    a: { text: 'abcdefgX' },
    b: { text: 'abcdefgh', content: () => [Buffer.from('abcdefgh')][Symbol.iterator]() },
  })
  expect(diffImages(one, other, { times: false, ignore: [] }).files).toMatchObject([
    { path: 'a', what: ['content'], lines: ['@@ line 1', '-abcdefgh', '+abcdefgX'] },
  ])
})

test('what is ignored is told, with its reason', () => {
  const ignore = [{ pattern: '/etc/*', reason: 'reviewed' }]
  const { files, ignored } = diffImages(memoryTree({ 'etc/a': '1' }), memoryTree({ 'etc/a': '2' }), {
    times: false,
    ignore,
  })
  expect({ files, ignored }).toEqual({
    files: [],
    ignored: [{ path: 'etc/a', pattern: '/etc/*', reason: 'reviewed' }],
  })
})

const withBytes = (fill: number, bootCode: string): ImageTree => ({
  ...memoryTree({}),
  bootCode,
  parts: [
    {
      start: 1,
      size: 3 * 2 ** 20,
      kind: 'vfat',
      uuid: '',
      label: '',
      // Only its last byte tells.
      read: (position, into) => into.fill(0).fill(fill, position < 2 ** 21 ? into.length : into.length - 1),
    },
  ],
})

test('what holds no files is compared byte by byte, and so is what a BIOS runs first', () => {
  const options = { times: false, ignore: [] }
  expect(diffImages(withBytes(1, 'eb'), withBytes(1, 'eb'), options).disk).toEqual([])
  expect(diffImages(withBytes(1, 'eb'), withBytes(2, 'ec'), options).disk).toEqual([
    'boot code differs',
    'partition 1: vfat 1+3145728, other bytes',
  ])
})

const menu = (quiet: string): ImageTree =>
  memoryTree({
    'boot/grub/grub.cfg':
      `menuentry Debian {\n  linux /vmlinuz-1 root=a ro ${quiet}\n}\n` +
      `submenu more {\n  linux /vmlinuz-1 root=a ro ${quiet}\n  linux /vmlinuz-1 root=a ro single\n}\n`,
  })

test('the kernel command line is that of the plain entry, and of recovery beside it', () => {
  expect(diffImages(menu('quiet'), menu('noisy'), { times: false, ignore: [] }).facts).toEqual({
    kernel: [{ name: '/vmlinuz-1', before: 'root=a ro quiet', after: 'root=a ro noisy' }],
  })
})
