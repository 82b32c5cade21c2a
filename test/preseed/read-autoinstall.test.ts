import { expect, test } from 'vitest'
import { findAutoinstall } from '../../preseed/read-autoinstall.ts'

const enough = `autoinstall:
  version: 1
  identity: { hostname: web, username: web, password: '!' }
`

const table: readonly [lines: string, said: readonly string[]][] = [
  ['', []],
  ['  shutdown: poweroff', []],
  ['  user-data: { users: [{ name: a, passwd: $6$salt$hash }] }', []],
  ['  keybord: { layout: us }', ['error 4: autoinstall has no key "keybord" -> did you mean keyboard?']],
  ['  something: 1', ['error 4: autoinstall has no key "something" -> remove it']],
  [
    '  shutdown: reboot',
    [
      'error 4: shutdown is "reboot", and a build waits for the machine to power off -> write shutdown: poweroff, or remove it',
    ],
  ],
  [
    '  interactive-sections: [storage]',
    ['error 4: interactive-sections make the installer stop to ask -> remove the key'],
  ],
  [
    '  packages: sudo',
    ['error 4: packages is no list -> write each entry on a line of its own behind a dash'],
  ],
  [
    '  user-data: { password: secret }',
    ['error 4: user-data has a password in clear text (password) -> use a hash, or an SSH key'],
  ],
  [
    '  user-data: { chpasswd: { list: "a:b" } }',
    ['error 4: user-data has a password in clear text (chpasswd.list) -> use a hash, or an SSH key'],
  ],
  [
    '  user-data: { users: [{ name: a, plain_text_passwd: b }] }',
    [
      'error 4: user-data has a password in clear text (users.plain_text_passwd) -> use a hash, or an SSH key',
    ],
  ],
  [
    'chpasswd: { expire: false }',
    [
      'error 4: chpasswd beside autoinstall is for the live system, and none of it reaches the image -> put it below autoinstall: user-data:',
    ],
  ],
  [
    'packages: [sudo]',
    [
      'error 4: packages beside autoinstall is for the live system, and none of it reaches the image -> remove it',
    ],
  ],
  [
    '  version: 1',
    ['error 4: the file is not YAML: Map keys must be unique -> correct the line; yamllint shows more'],
  ],
]

test.each(table)('what is said of %j', (lines, said) => {
  const { findings } = findAutoinstall(`${enough}${lines}\n`)
  expect(findings.map((one) => `${one.severity} ${one.line}: ${one.message} -> ${one.hint}`)).toEqual(said)
})

test.each([
  ['autoinstall: 1\n', 'autoinstall holds no keys'],
  [
    'autoinstall: { version: 2, identity: { hostname: a, username: b, password: "!" } }\n',
    'the version is 2, not 1',
  ],
  ['autoinstall: { version: 1 }\n', 'identity is missing, and the installer would stop to ask'],
  ['autoinstall: { version: 1, identity: { username: b, password: "!" } }\n', 'identity has no hostname'],
  [
    'autoinstall: { version: 1, identity: { hostname: a, username: b, password: secret } }\n',
    'the password of identity is no crypt(3) hash',
  ],
])('%j', (text, message) => {
  expect(findAutoinstall(text).findings.map((one) => one.message)).toEqual([message])
})

test('the text is the value as canonical JSON, with or without the word autoinstall', () => {
  const canonical = '{"identity":{"hostname":"a","password":"!","username":"b"},"version":1}\n'
  const identity = 'identity: { username: b, hostname: a, password: "!" }'
  expect(findAutoinstall(`#cloud-config\nautoinstall:\n  version: 1\n  ${identity}\n`).text).toBe(canonical)
  expect(findAutoinstall(`version: 1\n${identity}\n`).text).toBe(canonical)
})
