import { expect, test } from 'vitest'
import { readPreseed } from '../../preseed/read-preseed.ts'

const others = 'd-i passwd/root-login boolean false\nd-i passwd/make-user boolean false\n'

const table: readonly [answers: string, said: readonly string[]][] = [
  [
    'd-i grub-installer/skip boolean true',
    ['error 3: a disk without boot loader does not boot -> remove the line'],
  ],
  [
    'd-i grub-installer/bootdev string (hd0,1)',
    [
      'error 3: the boot loader cannot be put on "(hd0,1)" -> write default: it goes to the disk of the image',
    ],
  ],
  [
    'd-i grub-installer/password-crypted password grub.pbkdf2.x',
    [
      'error 3: a boot loader password is not supported -> remove the line and write /etc/grub.d/01_password with a files or puppet recipe',
    ],
  ],
  [
    'd-i debian-installer/add-kernel-opts string quiet x="y z"',
    ['error 3: the kernel option x="y holds a quote, $ or backslash -> write it without'],
  ],
  [
    'd-i debian-installer/add-kernel-opts string root=/dev/sda1',
    ['error 3: the kernel option root=/dev/sda1 is set by the boot loader -> remove it'],
  ],
]

test.each(table)('what is said of %j', (answers, said) => {
  const found = readPreseed(`${others}${answers}\n`).findings
  expect(found.map((one) => `${one.severity} ${one.line}: ${one.message} -> ${one.hint}`)).toEqual(said)
})

test.each([
  ['', 'console=tty0 console=ttyS0,115200'],
  ['mitigations=off', 'console=tty0 console=ttyS0,115200 mitigations=off'],
  ['console=ttyS1,9600 quiet', 'console=ttyS1,9600 quiet'],
])('kernel options %j give %j', (options, cmdline) => {
  const answers = `d-i debian-installer/add-kernel-opts string ${options}`
  expect(readPreseed(`${others}${answers}\n`).settings.boot).toEqual({ cmdline, osProber: false })
})
