// Pure: the text of a virt-builder index, line by line as virt-builder's own scanner reads it. Sections and fields
// keep their order and their unknown parts, so that what others wrote survives.

export interface IndexSection {
  /** What is typed on virt-builder's command line. */
  readonly id: string
  readonly fields: readonly IndexField[]
}

export interface IndexField {
  readonly key: string
  /** `sha512` of `checksum[sha512]`, a language of `notes[no]`. */
  readonly subkey?: string
  /** Further lines behind `\n`. */
  readonly value: string
}

export class IndexError extends Error {
  override readonly name = 'IndexError'
  /** 1-based. */
  readonly line: number
  constructor(line: number, message: string) {
    super(message)
    this.line = line
  }
}

/** Sections of an index without its signature. Throws IndexError. */
export function parseIndexText(text: string): readonly IndexSection[] {
  const sections: { id: string; fields: { key: string; subkey?: string; value: string }[] }[] = []
  if (text !== '' && !text.endsWith('\n'))
    throw new IndexError(text.split('\n').length, 'the last line does not end')
  for (const [at, line] of text.split('\n').slice(0, -1).entries()) {
    if (line === '' || line.startsWith('#')) continue
    const section = sections.at(-1)
    const [, id] = /^\[([-A-Za-z0-9._]+)\][ \t]*$/.exec(line) ?? []
    if (id !== undefined) {
      sections.push({ id, fields: [] })
      continue
    }
    const last = section?.fields.at(-1)
    if (/^[ \t]/.test(line)) {
      if (last === undefined) throw new IndexError(at + 1, 'a continued line has nothing before it')
      last.value += `\n${line.slice(1)}`
      continue
    }
    const [, key, subkey, value] = /^([A-Za-z0-9_.]+)(?:\[([A-Za-z0-9_,.]+)\])?=(.*)$/.exec(line) ?? []
    if (key === undefined || value === undefined)
      throw new IndexError(at + 1, `${JSON.stringify(line.slice(0, 60))} is neither a section nor a field`)
    if (section === undefined) throw new IndexError(at + 1, `${key}= stands before the first section`)
    if (section.fields.some((field) => field.key === key && field.subkey === subkey))
      throw new IndexError(at + 1, `[${section.id}] has ${key} twice`)
    section.fields.push({ key, ...(subkey === undefined ? {} : { subkey }), value })
  }
  return sections
}

/** Throws IndexError (of line 0) for what cannot be written so that it is read back as it is. */
export function renderIndexText(sections: readonly IndexSection[]): string {
  const text = sections.map(renderSection).join('\n')
  // The signature hides white space at the end of lines, and virt-builder does not undo the escaping of dashes.
  for (const line of text.split('\n')) {
    if (/[ \t\r]$/.test(line)) throw new IndexError(0, `${JSON.stringify(line)} ends in white space`)
    if (line.startsWith('-')) throw new IndexError(0, `${JSON.stringify(line)} begins with a dash`)
  }
  const parsed = parseIndexText(text)
  if (JSON.stringify(parsed) !== JSON.stringify(sections))
    throw new IndexError(0, 'the index cannot be written so that it reads back the same')
  return text
}

/**
 * What of a clear-signed file virt-builder reads: it takes the text between the first empty line and the signature,
 * as it stands there. Undefined for a file without signature.
 */
export function signedPart(file: string): string | undefined {
  const parts =
    /^-----BEGIN PGP SIGNED MESSAGE-----\n(?:[^\n]+\n)*\n([^]*?)-----BEGIN PGP SIGNATURE-----\n([^]*)$/.exec(
      file,
    )
  // One message and nothing after it.
  const end = /^[^-]*-----END PGP SIGNATURE-----\n*$/
  return parts !== null && end.test(parts[2]!) ? parts[1] : undefined
}

function renderSection({ id, fields }: IndexSection): string {
  const lines = fields.map(({ key, subkey, value }) => {
    const name = subkey === undefined ? key : `${key}[${subkey}]`
    return `${name}=${value.replaceAll('\n', '\n ')}\n`
  })
  return `[${id}]\n${lines.join('')}`
}
