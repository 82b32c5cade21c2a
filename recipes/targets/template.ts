// A template of a virt-builder repository; `img publish` takes it there.

import { checkOptions, isFlag, isText, listOf, matching, type OptionCheck } from '../../tasks/plan/options.ts'
import type { Layer } from '../../tasks/plan/recipe.ts'
import { target, targetRules, type TargetOptions } from './target.ts'

export interface TemplateOptions extends TargetOptions {
  /** What `virt-builder --list` shows, the release in brackets behind it; default the name of what it is made from. */
  readonly title?: string
  /** Text for who is about to use it, also by language: `{ '': 'Storage node', no: 'Lagringsnode' }`. */
  readonly notes?: string | Readonly<Record<string, string>>
  /** Other names it answers to. */
  readonly aliases?: readonly string[]
  /** Not listed, and still there for who knows the name. */
  readonly hidden?: boolean
  /** Instead of what the image says of itself; libosinfo's short id, `debian13`. */
  readonly osinfo?: string
  /** Instead of the partition the system was found on: `/dev/sda2`; with `lvexpand` the one of that logical volume. */
  readonly expand?: string
  readonly lvexpand?: string
}

/**
 * `disk.xz`, of blocks that are compressed only when their content is new, and `template.json`.
 *
 * @example template(role, { notes: 'Ceph storage node' })
 */
export function template(from: Layer, options: TemplateOptions = {}): Layer {
  checkOptions('template', options, {
    required: {},
    optional: {
      ...targetRules,
      title: isLine,
      notes: isNotes,
      aliases: listOf(matching(/^[A-Za-z0-9._][-A-Za-z0-9._]*$/, 'not a name of a template')),
      hidden: isFlag,
      osinfo: matching(/^[A-Za-z0-9._-]+$/, 'not an id of libosinfo, such as debian13'),
      expand: isDevice,
      lvexpand: isDevice,
    },
  })
  const { title = from.name.replace(/^[^:]*:/, ''), notes = {}, aliases = [], hidden = false } = options
  const { osinfo, expand, lvexpand } = options
  return target('template', {
    from,
    options,
    memory: 1400,
    steps: [
      {
        do: 'template',
        to: 'disk.xz',
        facts: 'template.json',
        title,
        notes: typeof notes === 'string' ? { '': notes } : notes,
        aliases,
        hidden,
        ...(osinfo === undefined ? {} : { osinfo }),
        ...(expand === undefined ? {} : { expand }),
        ...(lvexpand === undefined ? {} : { lvexpand }),
      },
    ],
  })
}

const isLine: OptionCheck = (value) =>
  isText(value) ?? (/^\S(?:[^\n\r\t]*\S)?$/.test(value as string) ? undefined : 'not one line of text')

/** An index cannot hold an empty line in a text, nor white space at a line's end. */
const isNotes: OptionCheck = (value) => {
  if (typeof value === 'string') {
    const isFine = value.split('\n').every((line) => /\S$/.test(line))
    return isFine ? undefined : 'which has an empty line, or white space at the end of one'
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return 'not text, or texts by language'
  for (const [language, text] of Object.entries(value)) {
    if (!/^[A-Za-z0-9_.]*$/.test(language)) return `where ${JSON.stringify(language)} is not a language`
    const wrong = typeof text === 'string' ? isNotes(text) : 'not text'
    if (wrong !== undefined) return `whose ${JSON.stringify(language)} is ${JSON.stringify(text)}, ${wrong}`
  }
  return undefined
}

const isDevice = matching(/^\/dev\/[A-Za-z0-9/._+-]+$/, 'not a device, such as /dev/sda1')
