import { expect, test } from 'vitest'
import { users } from '../../recipes/users.ts'
import { stepsOf } from './steps-of.ts'

test('a user with keys who may use sudo', () => {
  const recipe = users([
    {
      name: 'ops',
      fullName: 'Operations',
      uid: 1500,
      groups: ['adm'],
      sudo: true,
      sshKeys: ['ssh-ed25519 A'],
    },
  ])
  expect(stepsOf(recipe).steps).toMatchInlineSnapshot(`
    [
      {
        "argv": [
          "adduser",
          "--quiet",
          "--disabled-password",
          "--gecos",
          "",
          "--uid",
          "1500",
          "ops",
        ],
        "do": "run",
        "label": "user ops",
      },
      {
        "argv": [
          "usermod",
          "--comment",
          "Operations",
          "ops",
        ],
        "do": "run",
        "label": "name of ops",
      },
      {
        "argv": [
          "usermod",
          "--password",
          "!",
          "ops",
        ],
        "do": "run",
        "label": "password of ops",
      },
      {
        "argv": [
          "sh",
          "-eu",
          "-c",
          "for group; do
      if getent group "$group" >/dev/null; then adduser --quiet "$0" "$group"; fi
    done
    ",
          "ops",
          "adm",
          "sudo",
        ],
        "do": "run",
        "label": "groups of ops",
      },
      {
        "do": "mkdir",
        "group": "ops",
        "mode": "0700",
        "owner": "ops",
        "path": "/home/ops/.ssh",
      },
      {
        "content": "ssh-ed25519 A
    ",
        "do": "write",
        "group": "ops",
        "mode": "0600",
        "owner": "ops",
        "path": "/home/ops/.ssh/authorized_keys",
      },
    ]
  `)
})

test('a name alone is a locked account', () => {
  expect(stepsOf(users([{ name: 'ops' }])).steps).toEqual([
    {
      do: 'run',
      argv: ['adduser', '--quiet', '--disabled-password', '--gecos', '', 'ops'],
      label: 'user ops',
    },
    { do: 'run', argv: ['usermod', '--password', '!', 'ops'], label: 'password of ops' },
  ])
})

test.each([
  [[], 'users: the first argument is not a list of users'],
  [{ name: 'ops' }, 'users: the first argument is not a list of users'],
  [[{ name: 'ops' }, { name: 'ops' }], 'users: "ops" is listed twice'],
  [[{ name: 'Ops' }], 'users: "name" is "Ops", no user name'],
  [
    [{ name: 'ops', password: 'secret' }],
    'users: "password" is "secret", no crypt(3) hash; make one with: mkpasswd -m yescrypt',
  ],
  [[{ name: 'ops', uid: 0 }], 'users: "uid" is 0, no number from 100 to 59999'],
  [[{ name: 'ops', groups: ['A'] }], 'users: "groups" is ["A"], whose item 0 is "A", no group name'],
  [[{ name: 'ops', shell: '/bin/sh' }], 'users: unknown option "shell"'],
])('%j is refused', (list, message) => {
  expect(() => users(list as never)).toThrow(expect.objectContaining({ message }))
})
