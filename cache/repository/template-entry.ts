// Pure: one template of an index, and what virt-builder requires of it.

import type { IndexField, IndexSection } from './index-text.ts'

export interface TemplateEntry {
  readonly id: string
  readonly name?: string
  /** libosinfo's short id: `debian13`. */
  readonly osinfo?: string
  /** As the kernel says it: `x86_64`. */
  readonly arch: string
  /** Name of the compressed file, beside the index. */
  readonly file: string
  /** Of the compressed file. */
  readonly sha512: string
  readonly revision: number
  readonly format: 'raw' | 'qcow2'
  /** Of the disk, and of the compressed file. */
  readonly size: number
  readonly compressedSize: number
  /** Partition that grows with the disk: `/dev/sda1`; with `lvexpand` it holds that logical volume. */
  readonly expand?: string
  readonly lvexpand?: string
  /** By language, the default under `''`. */
  readonly notes: Readonly<Record<string, string>>
  readonly aliases: readonly string[]
  readonly hidden: boolean
}

/** In the order virt-builder-repository writes. */
export function toSection(entry: TemplateEntry): IndexSection {
  const fields: IndexField[] = []
  const add = (key: string, value: string | number | undefined, subkey?: string): void => {
    if (value === undefined) return
    fields.push({ key, ...(subkey === undefined ? {} : { subkey }), value: String(value) })
  }
  add('name', entry.name)
  add('osinfo', entry.osinfo)
  add('file', entry.file)
  add('arch', entry.arch)
  add('checksum', entry.sha512, 'sha512')
  add('revision', entry.revision)
  add('format', entry.format)
  add('size', entry.size)
  add('compressed_size', entry.compressedSize)
  add('expand', entry.expand)
  add('lvexpand', entry.lvexpand)
  for (const language of Object.keys(entry.notes).toSorted())
    add('notes', entry.notes[language], language === '' ? undefined : language)
  add('aliases', entry.aliases.length === 0 ? undefined : entry.aliases.join(' '))
  add('hidden', entry.hidden ? 'true' : undefined)
  return { id: entry.id, fields }
}

/** What of a section `img` needs to know, whoever wrote it; problems in words instead when virt-builder refused it. */
export function readSection(section: IndexSection): TemplateEntry | readonly string[] {
  const value = (key: string): string | undefined =>
    section.fields.find((field) => field.key === key && field.subkey === undefined)?.value
  const sha512 =
    section.fields.find(({ key, subkey }) => key === 'checksum' && subkey === 'sha512')?.value ??
    value('checksum')
  const problems: string[] = []
  const check = (key: string, found: string | undefined, pattern: RegExp): string => {
    if (found === undefined) problems.push(`[${section.id}] has no ${key}`)
    else if (!pattern.test(found)) problems.push(`[${section.id}] has ${key}=${found.slice(0, 60)}`)
    return found ?? ''
  }
  const optional = (key: string, pattern: RegExp): string | undefined =>
    value(key) === undefined ? undefined : check(key, value(key), pattern)
  const number = /^(?:0|[1-9][0-9]{0,15})$/
  const [name, osinfo] = [value('name'), optional('osinfo', /^[A-Za-z0-9._-]+$/)]
  const [expand, lvexpand] = [
    optional('expand', /^\/dev\/[A-Za-z0-9/._+-]+$/),
    optional('lvexpand', /^\/dev\/[A-Za-z0-9/._+-]+$/),
  ]
  if (lvexpand !== undefined && expand === undefined)
    problems.push(`[${section.id}] has lvexpand without expand`)
  const notes = section.fields.filter(({ key }) => key === 'notes')
  const entry: TemplateEntry = {
    id: section.id,
    ...(name === undefined ? {} : { name }),
    ...(osinfo === undefined ? {} : { osinfo }),
    arch: check('arch', value('arch'), /^[a-z0-9_]+$/),
    file: check('file', value('file'), filePattern),
    sha512: check('checksum[sha512]', sha512, /^[0-9a-f]{128}$/),
    revision: Number(optional('revision', number) ?? 1),
    format: (optional('format', /^(?:raw|qcow2)$/) ?? 'raw') as 'raw' | 'qcow2',
    size: Number(check('size', value('size'), /^[1-9][0-9]{0,15}$/)),
    compressedSize: Number(optional('compressed_size', number) ?? 0),
    ...(expand === undefined ? {} : { expand }),
    ...(lvexpand === undefined ? {} : { lvexpand }),
    notes: Object.fromEntries(notes.map((field) => [field.subkey ?? '', field.value])),
    aliases:
      value('aliases')
        ?.split(' ')
        .filter((alias) => alias !== '') ?? [],
    hidden: optional('hidden', /^(?:true|false)$/) === 'true',
  }
  return problems.length > 0 ? problems : entry
}

/** What is wrong with an index beyond the syntax; virt-index-validate looks at the syntax only. */
export function indexProblems(sections: readonly IndexSection[]): readonly string[] {
  const problems: string[] = []
  const seen = new Set<string>()
  /** An alias is looked up before names, whatever the architecture. */
  const aliases = new Map<string, string>()
  for (const section of sections) {
    const entry = readSection(section)
    if (!('id' in entry)) {
      problems.push(...entry)
      continue
    }
    if (seen.has(identityOf(entry))) problems.push(`[${entry.id}] is there twice for ${entry.arch}`)
    seen.add(identityOf(entry))
    for (const alias of entry.aliases) {
      const other = aliases.get(alias)
      if (other !== undefined && other !== entry.id)
        problems.push(`the alias ${alias} means both ${other} and ${entry.id}`)
      aliases.set(alias, entry.id)
    }
  }
  for (const { id } of sections) {
    if (aliases.has(id) && aliases.get(id) !== id)
      problems.push(`the alias ${id} of ${aliases.get(id)} hides the template ${id}`)
  }
  return problems
}

/** Unique within an index. */
export const identityOf = ({ id, arch }: Pick<TemplateEntry, 'id' | 'arch'>): string => `${id} ${arch}`

/** Below the index's folder; virt-builder itself does not refuse `..`. */
const filePattern = /^(?!\/)(?!.*:\/\/)(?!(?:.*\/)?\.\.(?:\/|$))[^\n]+$/
