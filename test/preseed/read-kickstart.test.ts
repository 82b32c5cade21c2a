import { expect, test } from 'vitest'
import { findKickstart } from '../../preseed/read-kickstart.ts'

const enough = `lang en_US.UTF-8
keyboard us
timezone Etc/UTC --utc
rootpw --lock
autopart --type=plain
poweroff
%packages
%end
`

const table: readonly [lines: string, said: readonly string[]][] = [
  ['# nothing', []],
  [
    'rootpw --iscrypted $6$salt$hash',
    ['warning 9: rootpw was given in line 4 already; this line replaces it -> remove line 4 or this one'],
  ],
  ['repo --name=a --baseurl=http://a.example.org\nrepo --name=b --baseurl=http://b.example.org', []],
  ['user --name=admin --groups=wheel', []],
  ['keybord us', ['error 9: the installer has no command "keybord" -> did you mean keyboard?']],
  [
    'frobnicate',
    ['error 9: the installer has no command "frobnicate" -> remove the line, or put it into %post'],
  ],
  [
    'user --name=admin --password=secret',
    [
      'error 9: user has a password in clear text -> write --iscrypted with the output of: mkpasswd -m sha512crypt, or --lock',
    ],
  ],
  [
    'sshpw --username=root secret',
    [
      'error 9: sshpw has a password in clear text -> write --iscrypted with the output of: mkpasswd -m sha512crypt, or --lock',
    ],
  ],
  [
    'bootloader --password=secret',
    [
      'error 9: bootloader has a password in clear text -> write --iscrypted with the output of: grub2-mkpasswd-pbkdf2',
    ],
  ],
  [
    'part / --encrypted --passphrase=secret',
    ['error 9: part has a passphrase in clear text -> encrypt the disk where the image is deployed'],
  ],
  [
    'reboot',
    ['error 9: reboot is not how a build ends: it waits for the machine to power off -> write poweroff'],
  ],
  [
    '%include /tmp/more.ks',
    [
      "error 9: %include takes answers from elsewhere, which would not be part of the layer's key -> put the answers into this file",
    ],
  ],
  ['%pots\n%end', ['error 9: there is no section %pots -> did you mean %post?']],
  ['%post\ntrue', ['error 9: the section %post has no %end -> add a line %end behind its last line']],
  ['%end', ['error 9: %end ends no section -> remove the line']],
]

test.each(table)('what is said of %j', (lines, said) => {
  const { findings } = findKickstart(`${enough}${lines}\n`)
  expect(findings.map((one) => `${one.severity} ${one.line}: ${one.message} -> ${one.hint}`)).toEqual(said)
})

test('a password in clear text', () => {
  const { findings } = findKickstart(enough.replace('--lock', 'secret'))
  expect(findings).toEqual([
    {
      severity: 'error',
      line: 4,
      message: 'rootpw is a password in clear text',
      hint: 'write rootpw --lock, or rootpw --iscrypted with the output of: mkpasswd -m sha512crypt',
    },
  ])
})

test('what the installer would ask for', () => {
  expect(findKickstart('').findings.map(({ message, hint }) => `${message} -> ${hint}`)).toEqual([
    'lang is missing, and the installer would stop to ask -> add: lang en_US.UTF-8',
    'keyboard is missing, and the installer would stop to ask -> add: keyboard us',
    'timezone is missing, and the installer would stop to ask -> add: timezone Etc/UTC --utc',
    'rootpw is missing, and the installer would stop to ask -> add: rootpw --lock',
    'autopart is missing, and the installer would stop to ask -> add: autopart --type=plain',
    '%packages is missing, and the installer would stop to ask -> add: %packages … %end',
    'poweroff is missing, and the installer would wait at its end -> add: poweroff',
  ])
})

test('the text keeps scripts as they are and packages by name', () => {
  const text =
    'lang C\n%packages --nocore\n# why\nsudo # who\n\n%end\n# between\n%post\n# kept\n  echo hello\n%end\n'
  expect(findKickstart(text).text).toBe(
    'lang C\n\n%packages --nocore\nsudo\n%end\n\n%post\n# kept\n  echo hello\n%end\n',
  )
})
