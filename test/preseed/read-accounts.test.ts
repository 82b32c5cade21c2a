import { expect, test } from 'vitest'
import { readPreseed } from '../../preseed/read-preseed.ts'

const table: readonly [answers: string, said: readonly string[]][] = [
  [
    '',
    [
      'error 0: root may log in but has no password -> set passwd/root-password-crypted to a hash or to !, or passwd/root-login to false',
      'error 0: a user is to be made but has no name -> set passwd/username, or passwd/make-user to false',
    ],
  ],
  [
    'd-i passwd/root-login boolean true\nd-i passwd/make-user boolean false',
    [
      'error 1: root may log in but has no password -> set passwd/root-password-crypted to a hash or to !, or passwd/root-login to false',
    ],
  ],
  [
    'd-i passwd/root-password password secret\nd-i passwd/root-password-again password secret\nd-i passwd/make-user boolean false',
    [
      'error 1: passwd/root-password is a password in clear text -> use passwd/root-password-crypted with the output of: mkpasswd -m yescrypt',
    ],
  ],
  [
    'd-i passwd/root-password-crypted password secret\nd-i passwd/make-user boolean false',
    [
      'error 1: the value of passwd/root-password-crypted is no crypt(3) hash -> write ! to lock the account, or the output of: mkpasswd -m yescrypt',
    ],
  ],
  [
    'd-i passwd/root-password-crypted password $1$abcdefgh$0123456789012345678901\nd-i passwd/make-user boolean false',
    [
      'warning 1: the value of passwd/root-password-crypted is an MD5 hash, which is guessed quickly -> make a new one with: mkpasswd -m yescrypt',
    ],
  ],
  [
    'd-i passwd/root-login boolean false\nd-i passwd/username string debian',
    ['error 2: the user debian has no password -> set passwd/user-password-crypted to a hash or to !'],
  ],
  [
    'd-i passwd/root-login boolean false\nd-i passwd/username string admin\nd-i passwd/user-password-crypted password !',
    ['error 2: the user name "admin" is reserved by the system -> choose another name'],
  ],
  [
    'd-i passwd/root-login boolean false\nd-i passwd/username string Debian\nd-i passwd/user-password-crypted password !',
    ['error 2: "Debian" is no user name -> use a-z, 0-9, - and _, beginning with a letter'],
  ],
  [
    'd-i passwd/root-login boolean false\nd-i passwd/username string debian\nd-i passwd/user-password password insecure',
    [
      'error 3: passwd/user-password is a password in clear text -> use passwd/user-password-crypted with the output of: mkpasswd -m yescrypt',
    ],
  ],
  [
    'd-i passwd/root-login boolean false\nd-i passwd/username string debian\nd-i passwd/user-password-crypted password !\nd-i passwd/user-uid string 0\nd-i passwd/user-default-groups string video Wheel\nd-i passwd/user-fullname string A:B',
    [
      'error 4: "0" is no user id -> choose a number from 1000 to 59999',
      'error 5: "Wheel" is no group name -> separate group names by spaces',
      'error 6: the full name holds a colon or comma, which /etc/passwd cannot -> remove it',
    ],
  ],
]

test.each(table)('what is said of %j', (answers, said) => {
  const found = readPreseed(`${answers}\n`).findings
  expect(found.map((one) => `${one.severity} ${one.line}: ${one.message} -> ${one.hint}`)).toEqual(said)
})

test('a user with everything', () => {
  const answers = `d-i passwd/root-login boolean true
d-i passwd/root-password-crypted password $y$j9T$abcdefghijklmnop$ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefg
d-i passwd/username string ops
d-i passwd/user-fullname string Operations
d-i passwd/user-password-crypted password !
d-i passwd/user-uid string 1500
d-i passwd/user-default-groups string adm video`
  const { settings, findings } = readPreseed(answers)
  expect(findings).toEqual([])
  expect(settings.accounts).toEqual({
    rootPassword: '$y$j9T$abcdefghijklmnop$ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefg',
    user: {
      name: 'ops',
      fullName: 'Operations',
      password: '!',
      uid: 1500,
      groups: ['adm', 'video'],
      sudo: false,
    },
  })
})
