import { expect, test } from 'vitest'
import { findPreseed } from '../../preseed/lint-preseed.ts'

const enough = `d-i partman/confirm boolean true
d-i partman/confirm_nooverwrite boolean true
d-i partman/choose_partition select finish
d-i passwd/root-login boolean false
d-i passwd/make-user boolean false
`

const table: readonly [answers: string, said: readonly string[]][] = [
  ['', []],
  // What only works with a running installer is fine here.
  ['d-i preseed/early_command string anna-install some-udeb', []],
  ['d-i netcfg/get_ipaddress string 192.0.2.1', []],
  ['d-i partman-auto-lvm/guided_size string max', []],
  ['grub-pc grub-pc/install_devices multiselect /dev/vda', []],
  [
    'd-i time/zon string Etc/UTC',
    ['error 6: the installer has no question "time/zon" -> did you mean time/zone?'],
  ],
  [
    'd-i some/thing-else string x',
    [
      'error 6: the installer has no question "some/thing-else" -> remove the line or name the package that asks instead of d-i',
    ],
  ],
  [
    'd-i passwd/root-password password secret',
    [
      'error 6: passwd/root-password is a password in clear text -> use passwd/root-password-crypted with the output of: mkpasswd -m yescrypt',
    ],
  ],
  [
    'd-i grub-installer/password password secret',
    [
      'error 6: grub-installer/password is a password in clear text -> use grub-installer/password-crypted with the output of: grub-mkpasswd-pbkdf2',
    ],
  ],
  [
    'd-i network-console/password password secret',
    [
      'error 6: network-console/password is a password in clear text -> remove the line: whoever has the answer file has it',
    ],
  ],
  [
    'd-i preseed/include string other.cfg',
    [
      "error 6: preseed/include takes answers from elsewhere, which would not be part of the layer's key -> put the answers into this file",
    ],
  ],
  [
    'd-i time/zone string Etc/UTC\nd-i time/zone string Europe/Oslo',
    [
      'warning 7: time/zone was answered in line 6 already; this answer replaces it -> remove line 6 or this one',
    ],
  ],
  [
    '\uFEFFd-i time/zone string Etc/UTC\r',
    [
      'warning 6: the line ends in CR LF; every CR is ignored -> save the file with LF line ends, for example with: sed -i "s/\\r//" FILE',
    ],
  ],
]

test.each(table)('what is said of %j', (answers, said) => {
  const { findings } = findPreseed(`${enough}${answers}\n`)
  expect(findings.map((one) => `${one.severity} ${one.line}: ${one.message} -> ${one.hint}`)).toEqual(said)
})

test('questions the installer asks whatever the priority', () => {
  const { findings } = findPreseed(
    'd-i passwd/root-login boolean false\nd-i passwd/make-user boolean false\n',
  )
  expect(findings.map(({ message, hint }) => `${message} -> ${hint}`)).toEqual([
    'partman/confirm has no answer, and the installer would stop to ask -> add: d-i partman/confirm boolean true',
    'partman/confirm_nooverwrite has no answer, and the installer would stop to ask -> add: d-i partman/confirm_nooverwrite boolean true',
    'partman/choose_partition has no answer, and the installer would stop to ask -> add: d-i partman/choose_partition select finish',
  ])
})

test('the text has an answer a line', () => {
  expect(findPreseed('# c\nd-i  time/zone\tstring Etc/UTC  \nd-i x/y string a \\\n   b\n').text).toBe(
    'd-i time/zone string Etc/UTC\nd-i x/y string a b\n',
  )
})
