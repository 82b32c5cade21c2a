// What a reviewed list covers, and above all what it does not.

import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { diffImages, isEqual, type ImageDifference } from '../../../tasks/diff/diff-images.ts'
import { reviewDifference } from '../../../tasks/diff/review.ts'
import { parseReviewList } from '../../../tasks/diff/review-list.ts'
import { textDigest } from '../../../tasks/diff/reviewed-texts.ts'
import type { ImagePart, ImageTree } from '../../../tasks/diff/tree.ts'
import { memoryTree } from '../../rig/memory-tree.ts'

type Files = Parameters<typeof memoryTree>[0]

const md5 = (text: string): string => createHash('md5').update(text).digest('hex')

const paragraph = (name: string, more = ''): string =>
  `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n${more}\n`

const link = (target: string): { kind: 'link'; target: string } => ({ kind: 'link', target })

/** As the installer leaves it: with a package, a user and a number more. */
const installed: Files = {
  'etc/passwd':
    'root:x:0:0:root:/root:/bin/bash\npuppet:x:101:103::/:/bin/false\n_chrony:x:102:104::/:/bin/false\n',
  'etc/shadow': 'root:*:1::::::\npuppet:!:1::::::\n_chrony:!:1::::::\n',
  'etc/group': 'root:x:0:\npuppet:x:103:\n_chrony:x:104:\n',
  'etc/fstab': 'UUID=202ca857-880e-4a67-ade0-cd823123b9ce / ext4 errors=remount-ro 0 1\n',
  'etc/order': 'a\nb\n',
  'etc/ruby.conf': 'x=1\n',
  'usr/bin/ruby': { text: 'ruby', mode: 0o755 },
  'usr/share/ruby': { kind: 'folder', mode: 0o755 },
  'usr/bin/chronyc': { text: 'chronyc', mode: 0o4755, uid: 102, gid: 104 },
  'usr/lib/x/__pycache__/x.pyc': { text: `vers\0\0\0\0datesizecode` },
  'boot/grub/grub.cfg': 'linux /vmlinuz-1 root=UUID=1 ro net.ifnames=0 console=tty0 quiet\n',
  'var/lib/dpkg/status': `${paragraph('bash')}\n${paragraph('ruby', `Conffiles:\n /etc/ruby.conf ${md5('x=1\n')}\n`)}`,
  'var/lib/dpkg/info/bash.list': '/bin/bash\n',
  'var/lib/dpkg/info/ruby.list': '/.\n/usr/bin/ruby\n/usr/share/ruby\n/etc/ruby.conf\n',
  'var/lib/dpkg/info/ruby.md5sums': `${md5('ruby')}  usr/bin/ruby\n`,
}

/** As built otherwise. */
const built: Files = {
  'etc/passwd': 'root:x:0:0:root:/root:/bin/bash\n_chrony:x:101:103::/:/bin/false\n',
  'etc/shadow': 'root:*:1::::::\n_chrony:!:1::::::\n',
  'etc/group': 'root:x:0:\n_chrony:x:103:\n',
  'etc/fstab': 'UUID=d7381ee8-cfe8-5bec-b7ab-ba93d01f6537 / ext4 x-systemd.growfs 0 1\n',
  'etc/order': 'b\na\n',
  'etc/systemd/system/multi-user.target.wants/grow.service': link('/usr/lib/systemd/system/grow.service'),
  'usr/bin/chronyc': { text: 'chronyc', mode: 0o4755, uid: 101, gid: 103 },
  'usr/lib/x/__pycache__/x.pyc': { text: `vers\u0003\0\0\0hashhashcode` },
  'boot/grub/grub.cfg': 'linux /vmlinuz-1 root=UUID=2 ro console=tty0\n',
  'var/lib/dpkg/status': paragraph('bash'),
  'var/lib/dpkg/info/bash.list': '/bin/bash\n',
}

const fstab = textDigest(
  Buffer.from(installed['etc/fstab'] as string),
  Buffer.from(built['etc/fstab'] as string),
)

const lines = [
  'package ruby  only one side needs it',
  'ids /**  numbers in order of creation',
  'user puppet  came with ruby',
  'group puppet  came with ruby',
  `text /etc/fstab#${fstab}  reviewed`,
  'order /etc/order  sorted in another locale',
  'bytecode /usr/**/*.pyc  another header',
  'unit grow.service  grows the disk',
  'argument root=UUID=*  made anew',
  'argument net.ifnames=0  kept from the installer',
  'argument quiet  of the installer',
  '/boot/grub/grub.cfg  another menu',
]

const review = (before: ImageTree, after: ImageTree, list: readonly string[] = lines): ImageDifference =>
  reviewDifference(
    diffImages(before, after, { times: false, ignore: [] }),
    [before, after],
    parseReviewList(list.join('\n'), 'compare.ignore'),
  )

test('every line covers its difference, and none is idle', () => {
  const difference = review(memoryTree(installed), memoryTree(built))
  expect(difference).toMatchObject({ facts: {}, files: [], disk: [] })
  expect(isEqual(difference)).toBe(true)
  expect([...new Set(difference.ignored.map(({ pattern }) => pattern))].toSorted()).toEqual(
    lines.map((line) => String(line.split('  ')[0])).toSorted(),
  )
})

test.each(lines)('without the line "%s" the images differ', (line) => {
  const others = lines.filter((other) => other !== line)
  expect(isEqual(review(memoryTree(installed), memoryTree(built), others))).toBe(false)
})

const changed = (files: Files, path: string, [from, to]: readonly [string, string]): Files => {
  const old = files[path] as string
  expect(old).toContain(from)
  return { ...files, [path]: old.replace(from, to) }
}

test.each<[string, Files, Files, string]>([
  [
    'a changed file in /etc',
    { ...installed, 'etc/motd': 'a\n' },
    { ...built, 'etc/motd': 'b\n' },
    'etc/motd',
  ],
  [
    'an extra setuid file',
    installed,
    { ...built, 'usr/bin/x': { text: 'x', mode: 0o4755 } },
    'setuid /usr/bin/x',
  ],
  [
    'an extra enabled unit',
    installed,
    { ...built, 'etc/systemd/system/multi-user.target.wants/x.service': link('/usr/lib/x.service') },
    'services x.service',
  ],
  [
    'a reviewed unit that leads elsewhere',
    installed,
    { ...built, 'etc/systemd/system/multi-user.target.wants/grow.service': link('/tmp/evil') },
    'etc/systemd/system/multi-user.target.wants/grow.service',
  ],
  ['another line in a reviewed text', installed, changed(built, 'etc/fstab', ['ext4', 'xfs']), 'etc/fstab'],
  [
    'a reviewed text others may write',
    installed,
    { ...built, 'etc/fstab': { text: built['etc/fstab'] as string, mode: 0o666 } },
    'etc/fstab',
  ],
  [
    'a line more where only the order may differ',
    installed,
    changed(built, 'etc/order', ['b', 'b\nc']),
    'etc/order',
  ],
  [
    'other code',
    installed,
    { ...built, 'usr/lib/x/__pycache__/x.pyc': 'vers\u0003\0\0\0hashhashevil' },
    'usr/lib/x/__pycache__/x.pyc',
  ],
  [
    'code that is believed unchecked',
    installed,
    { ...built, 'usr/lib/x/__pycache__/x.pyc': 'vers\u0001\0\0\0hashhashcode' },
    'usr/lib/x/__pycache__/x.pyc',
  ],
  [
    'a changed program of a reviewed package',
    { ...installed, 'usr/bin/ruby': { text: 'evil', mode: 0o755 } },
    built,
    'usr/bin/ruby',
  ],
  [
    'a changed configuration of a reviewed package',
    { ...installed, 'etc/ruby.conf': 'x=2\n' },
    built,
    'etc/ruby.conf',
  ],
  [
    'a program of a reviewed package that anybody may change',
    { ...installed, 'usr/bin/ruby': { text: 'ruby', mode: 0o777 } },
    built,
    'usr/bin/ruby',
  ],
  [
    'a file beside those of a reviewed package',
    { ...installed, 'usr/share/ruby/x': '' },
    built,
    'usr/share/ruby/x',
  ],
  [
    'a file of another owner',
    installed,
    { ...built, 'usr/bin/chronyc': { text: 'chronyc', mode: 0o4755 } },
    'usr/bin/chronyc',
  ],
  [
    'a reviewed user who is root',
    changed(installed, 'etc/passwd', ['puppet:x:101', 'puppet:x:0']),
    built,
    'users puppet',
  ],
  [
    'a reviewed user who may log in',
    changed(installed, 'etc/shadow', ['puppet:!', 'puppet:$y$1']),
    built,
    'etc/shadow',
  ],
  ['a password', installed, changed(built, 'etc/shadow', ['root:*', 'root:$y$1']), 'etc/shadow'],
  [
    'a user more',
    installed,
    changed(built, 'etc/passwd', ['_chrony', 'evil:x:0:0::/:/bin/sh\n_chrony']),
    'users evil',
  ],
  [
    'a shell',
    installed,
    changed(built, 'etc/passwd', ['103::/:/bin/false', '103::/:/bin/sh']),
    'users _chrony',
  ],
  ['a member', installed, changed(built, 'etc/group', ['103:', '103:root']), 'groups _chrony'],
  [
    'a user number that is not given by chance',
    installed,
    changed(built, 'etc/passwd', ['_chrony:x:101', '_chrony:x:1101']),
    'users _chrony',
  ],
  [
    'another word for the kernel',
    installed,
    changed(built, 'boot/grub/grub.cfg', ['tty0', 'tty0 init=/x']),
    'kernel /vmlinuz-1',
  ],
  [
    'words for the kernel in another order',
    installed,
    changed(built, 'boot/grub/grub.cfg', ['ro console=tty0', 'console=tty0 ro']),
    'kernel /vmlinuz-1',
  ],
  [
    'another kernel',
    installed,
    changed(built, 'boot/grub/grub.cfg', ['linux', 'linux /evil\nlinux']),
    'kernel /evil',
  ],
  [
    'a second entry for a kernel',
    installed,
    changed(built, 'boot/grub/grub.cfg', ['tty0\n', 'tty0\nlinux /vmlinuz-1 init=/x\n']),
    'kernel /vmlinuz-1 (2)',
  ],
  [
    'a second account of a name',
    installed,
    changed(built, 'etc/passwd', ['_chrony', '_chrony:x:0:0::/:/bin/sh\n_chrony']),
    'etc/passwd',
  ],
  [
    'a package more',
    installed,
    changed(built, 'var/lib/dpkg/status', [paragraph('bash'), `${paragraph('bash')}\n${paragraph('x')}`]),
    'packages x',
  ],
])('%s is found in spite of the list', (_, ...[before, after, found]) => {
  const difference = review(memoryTree(before), memoryTree(after))
  const left = [
    ...Object.entries(difference.facts).flatMap(([kind, facts]) =>
      facts.map(({ name }) => `${kind} ${name}`),
    ),
    ...difference.files.map(({ path }) => path),
  ]
  expect(left).toContain(found)
})

const disk = (part: Partial<ImagePart>): ImageTree => ({
  ...memoryTree({}),
  parts: [{ start: 1, size: 8, kind: 'ext4', uuid: 'a', label: '', ...part }],
})

test('of a disk each trait is reviewed for itself', () => {
  const list = ['disk 1:uuid made anew']
  expect(review(disk({}), disk({ uuid: 'b' }), list).disk).toEqual([])
  expect(review(disk({}), disk({ uuid: 'b', size: 9 }), list).disk).toEqual([
    'partition 1: ext4 1+8 a -> ext4 1+9 b',
  ])
  expect(review(disk({}), memoryTree({}), list).disk).toEqual(['partition 1: ext4 1+8 a -> none'])
})

test('a text that is not reviewed comes with what a list would call it', () => {
  const { files } = review(memoryTree(installed), memoryTree(built), [])
  expect(files.find(({ path }) => path === 'etc/fstab')?.digest).toBe(fstab)
  const others = { ...built, 'etc/fstab': (built['etc/fstab'] as string).replace('d7381ee8', '00000000') }
  expect(
    review(memoryTree(installed), memoryTree(others), []).files.find(({ path }) => path === 'etc/fstab')
      ?.digest,
  ).toBe(fstab)
})

test('a text is reviewed as a file of root, which nobody else may write', () => {
  const list = [`text /etc/new#${textDigest(Buffer.alloc(0), Buffer.from('a'))} reviewed`]
  const left = (over: object): readonly string[] =>
    review(memoryTree({}), memoryTree({ 'etc/new': { text: 'a', ...over } }), list).files.map(
      ({ path }) => path,
    )
  expect(left({})).toEqual([])
  expect(left({ uid: 1000 })).toEqual(['etc/new'])
  expect(left({ mode: 0o664 })).toEqual(['etc/new'])
})
