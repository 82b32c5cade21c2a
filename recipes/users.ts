// Accounts on top of the parent layer.

import { hashPattern } from '../preseed/read-accounts.ts'
import {
  checkOptions,
  invalidOption,
  isFlag,
  isLayerOption,
  isText,
  listOf,
  matching,
  type OptionCheck,
} from '../tasks/plan/options.ts'
import type { Layer, Recipe } from '../tasks/plan/recipe.ts'
import type { Step } from '../tasks/plan/step.ts'
import { addUser } from './bootstrap/accounts.ts'
import { defaultTools } from './tools.ts'

export interface User {
  readonly name: string
  readonly fullName?: string
  /** A crypt(3) hash; locked by default. */
  readonly password?: string
  readonly uid?: number
  /** Joined where the image has them. */
  readonly groups?: readonly string[]
  /** Whether the user may become root by sudo, which asks for the user's password. */
  readonly sudo?: boolean
  /** Lines of ~/.ssh/authorized_keys. */
  readonly sshKeys?: readonly string[]
}

export interface UsersOptions {
  readonly tools?: Layer
}

/**
 * Adds users with home directories.
 *
 * @example layer('base:web', users([{ name: 'ops', sshKeys: ['ssh-ed25519 AAAA… ops@example.org'] }]), { from: install })
 */
export function users(list: readonly User[], options: UsersOptions = {}): Recipe {
  if (!Array.isArray(list) || list.length === 0) {
    throw invalidOption('users: the first argument is not a list of users', `write users([{ name: 'ops' }])`)
  }
  for (const user of list as readonly User[]) checkOptions('users', user, rules)
  const names = list.map(({ name }: User) => name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) {
    throw invalidOption(`users: "${twice}" is listed twice`, 'remove one of them')
  }
  checkOptions('users', options, { required: {}, optional: { tools: isLayerOption } })
  return {
    name: 'users',
    mode: 'chroot',
    parent: 'required',
    inputs: {},
    tools: options.tools ?? defaultTools,
    steps: () => list.flatMap(stepsFor),
  }
}

function stepsFor(user: User): readonly Step[] {
  const { name, fullName = '', password = '!', uid, groups = [], sudo = false, sshKeys = [] } = user
  const home = `/home/${name}`
  const owned = { owner: name, group: name }
  return [
    ...addUser({ name, fullName, password, uid, groups, sudo }),
    ...(sshKeys.length === 0
      ? []
      : ([
          { do: 'mkdir', path: `${home}/.ssh`, mode: '0700', ...owned },
          {
            do: 'write',
            path: `${home}/.ssh/authorized_keys`,
            content: `${sshKeys.join('\n')}\n`,
            mode: '0600',
            ...owned,
          },
        ] as const)),
  ]
}

const isUid: OptionCheck = (value) =>
  Number.isInteger(value) && Number(value) >= 100 && Number(value) < 60000
    ? undefined
    : 'no number from 100 to 59999'

const rules = {
  required: { name: matching(/^[a-z][-a-z0-9_]{0,31}$/, 'no user name') },
  optional: {
    fullName: matching(/^[^:,\n]*$/, 'no name without colon, comma and line end'),
    password: matching(hashPattern, 'no crypt(3) hash; make one with: mkpasswd -m yescrypt'),
    uid: isUid,
    groups: listOf(matching(/^[a-z_][-a-z0-9_]*$/, 'no group name')),
    sudo: isFlag,
    sshKeys: listOf(isText),
  },
}
