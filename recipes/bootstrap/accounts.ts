// root and the first user, in the order and with the programs of the installer's user-setup.

import type { AccountSettings, UserSettings } from '../../preseed/read-accounts.ts'
import type { Step } from '../../tasks/plan/step.ts'

export function accounts({ rootPassword, user }: AccountSettings): readonly Step[] {
  const root = rootPassword === undefined ? [] : [setPassword('root', rootPassword)]
  return user === undefined ? root : [...root, ...addUser(user)]
}

function setPassword(name: string, hash: string): Step {
  return { do: 'run', argv: ['usermod', '--password', hash, name], label: `password of ${name}` }
}

/** Also what the recipe `users` does. */
export function addUser({ name, fullName, password, uid, groups, sudo }: UserSettings): readonly Step[] {
  const id = uid === undefined ? [] : ['--uid', String(uid)]
  const joined = [...groups, ...(sudo ? ['sudo'] : [])]
  return [
    {
      do: 'run',
      argv: ['adduser', '--quiet', '--disabled-password', '--gecos', '', ...id, name],
      label: `user ${name}`,
    },
    ...(fullName === ''
      ? []
      : [{ do: 'run', argv: ['usermod', '--comment', fullName, name], label: `name of ${name}` } as const]),
    setPassword(name, password),
    ...(joined.length === 0
      ? []
      : [
          {
            do: 'run',
            argv: ['sh', '-eu', '-c', joinGroups, name, ...joined],
            label: `groups of ${name}`,
          } as const,
        ]),
  ]
}

/** Groups of packages that are not installed are passed over, as the installer does. */
const joinGroups = `for group; do
  if getent group "$group" >/dev/null; then adduser --quiet "$0" "$group"; fi
done
`
