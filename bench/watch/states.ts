// What a person changes in this repository's project while a role is watched: states it can be in, and the files of each.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Files } from './editors.ts'

/** Everything absent: as the project was. */
export interface State {
  /** In the role's hiera data, in everybody's, in another role's. */
  readonly value?: number
  readonly baseValue?: number
  readonly otherValue?: number
  /** In the role's manifest: a resource, a comment, half a resource. */
  readonly resource?: number
  readonly comment?: number
  readonly isBroken?: boolean
  /** A class in a file of its own, which the manifest may not use. */
  readonly class?: { readonly name: string; readonly number: number; readonly isUsed: boolean }
  readonly template?: number
  /** In imgfile.ts: one more recipe, a comment, half a line. */
  readonly recipe?: number
  readonly imgfileComment?: number
  readonly isImgfileBroken?: boolean
  /** In files nobody asks about. */
  readonly readme?: number
}

/** The files of a state, of those that any state changes. */
export function openStates(root: string, layer: string): (state: State) => Files {
  const role = layer.replace(/^role:/, '')
  const at = {
    data: `puppet/data/role/${role}.yaml`,
    other: `puppet/data/role/${role === 'ceph-node' ? 'openstack-compute' : 'ceph-node'}.yaml`,
    common: 'puppet/data/common.yaml',
    manifest: `puppet/site-modules/role/manifests/${role.replace('-', '_')}.pp`,
    template: 'puppet/site-modules/profile/templates/ini.epp',
    imgfile: 'imgfile.ts',
    readme: 'README.md',
  }
  const original = Object.fromEntries(
    Object.entries(at).map(([name, path]) => [name, readFileSync(join(root, path), 'utf8')]),
  ) as Record<keyof typeof at, string>
  return (state) => ({
    [at.data]: setting(original.data, state.value),
    [at.other]: setting(original.other, state.otherValue),
    [at.common]: setting(original.common, state.baseValue),
    [at.manifest]: manifestOf(original.manifest, state),
    [at.template]: `${original.template}${line('# template', state.template)}`,
    [at.imgfile]: imgfileOf(original.imgfile, state),
    [at.readme]: `${original.readme}${line('', state.readme)}`,
    ...classFiles(state),
  })
}

const line = (text: string, number: number | undefined): string =>
  number === undefined ? '' : `${text} ${number}\n`

const setting = (text: string, value: number | undefined): string =>
  text.replace(/^(profile::sysctl::values:\n)/m, `$1${line('  net.core.netdev_max_backlog:', value)}`)

function manifestOf(original: string, { resource, comment, isBroken, class: own }: State): string {
  const file = `  file { '/etc/edited':\n    ensure  => file,\n    content => "${resource}\\n",\n  }\n`
  const added = [
    line('  #', comment),
    resource === undefined ? '' : file,
    own?.isUsed === true ? `  contain profile::${own.name}\n` : '',
    isBroken === true ? "  file { '/etc/half':\n" : '',
  ]
  return original.replace(/\}\n$/, `${added.join('')}}\n`)
}

function classFiles({ class: own }: State): Files {
  const files = classNames.map((name) => {
    const text = `class profile::${name} {\n  file { '/etc/class':\n    content => "${own?.number}\\n",\n  }\n}\n`
    return [
      `puppet/site-modules/profile/manifests/${name}.pp`,
      own?.name === name ? text : undefined,
    ] as const
  })
  return Object.fromEntries(files)
}

const classNames = ['edited_one', 'edited_other'] as const

function imgfileOf(original: string, { recipe, imgfileComment, isImgfileBroken }: State): string {
  const step = `[puppet({ environment: 'puppet', role, suite: 'trixie' }), run('echo ${recipe} >/etc/recipe')]`
  const isRole = "puppet({ environment: 'puppet', role, suite: 'trixie' })"
  const text =
    recipe === undefined
      ? original
      : original.replace(isRole, step).replace('{ apt, bootstrap', '{ run, apt, bootstrap')
  return `${text}${line('//', imgfileComment)}${isImgfileBroken === true ? 'const half = (\n' : ''}`
}

/** One edit; what is broken is repaired soon. `before` are the states so far, newest last. */
export function nextState(
  before: readonly State[],
  number: number,
  choose: (below: number) => number,
): State {
  const now = before.at(-1) ?? {}
  const isAnyBroken = now.isBroken === true || now.isImgfileBroken === true
  if (isAnyBroken && choose(2) === 0) return { ...now, isBroken: false, isImgfileBroken: false }
  // Costs a rebuild of the parent as well.
  if (number % 50 === 40) return { ...now, baseValue: number }
  const wheel = kinds.flatMap(({ weight, edit }) => Array.from({ length: weight }, () => edit))
  return wheel[choose(wheel.length)]?.({ now, before, number, choose }) ?? now
}

interface Edit {
  readonly now: State
  readonly before: readonly State[]
  readonly number: number
  readonly choose: (below: number) => number
}

const kinds: readonly { readonly weight: number; readonly edit: (edit: Edit) => State }[] = [
  { weight: 3, edit: ({ now, number }) => ({ ...now, value: number }) },
  { weight: 3, edit: ({ now, number }) => ({ ...now, resource: number }) },
  { weight: 2, edit: ({ now, number }) => ({ ...now, template: number }) },
  { weight: 2, edit: ({ now, number }) => ({ ...now, recipe: number }) },
  // Nothing of the role is made of these.
  { weight: 2, edit: ({ now, number }) => ({ ...now, comment: number }) },
  { weight: 2, edit: ({ now, number }) => ({ ...now, otherValue: number }) },
  { weight: 1, edit: ({ now, number }) => ({ ...now, imgfileComment: number }) },
  { weight: 2, edit: ({ now, number }) => ({ ...now, readme: number }) },
  // A new file, one that is renamed, and one that is used or used no more.
  {
    weight: 4,
    edit: ({ now, number, choose }) => {
      const name = classNames[choose(classNames.length)] ?? classNames[0]
      return { ...now, class: { name, number: now.class?.number ?? number, isUsed: choose(2) === 0 } }
    },
  },
  { weight: 2, edit: ({ now }) => ({ ...now, isBroken: true }) },
  { weight: 1, edit: ({ now }) => ({ ...now, isImgfileBroken: true }) },
  // Undone, one or some edits, as an editor or `git checkout` does it.
  { weight: 4, edit: ({ before, choose }) => before.at(-2 - choose(3)) ?? {} },
]
