// What stands in an emitted text for facts that are known once other files are made: `{{size disk.qcow2}}`. Pure.

export interface Placeholder {
  readonly fact: string
  /** What it is about: a file, a name; empty where it is about the whole target. */
  readonly of: string
}

/** The facts there are, and whether they are about something. */
const facts: Readonly<Record<string, 'file' | 'name' | 'nothing'>> = {
  /** Bytes of a file. */
  size: 'file',
  sha256: 'file',
  sha512: 'file',
  /** Images a step made under that name, as `FILE:SHA256,…`. */
  images: 'file',
  /** Of the disk the target is made from. */
  'disk-bytes': 'nothing',
  /** Rounded up, for formats that know nothing smaller. */
  'disk-gib': 'nothing',
  /** The architecture as the kernel calls it: `x86_64`. */
  machine: 'nothing',
  /** The same in Debian's words: `amd64`. */
  'deb-arch': 'nothing',
  /** The target's key. */
  key: 'nothing',
  /** Derived from the key and the name: a UUID, and a number of six hex digits. */
  uuid: 'name',
  hex6: 'name',
}

/** The first placeholder that means nothing, as it is written. */
export function wrongPlaceholder(text: string): string | undefined {
  for (const [written, fact = '', of] of text.matchAll(pattern)) {
    const about = Object.hasOwn(facts, fact) ? facts[fact] : undefined
    if (about === undefined || (about === 'nothing') !== (of === undefined)) return written
  }
  return undefined
}

/** How each is written, for people: `{{size FILE}}`. */
export const placeholderForms = (): readonly string[] =>
  Object.entries(facts).map(([fact, of]) => `{{${fact}${of === 'nothing' ? '' : ` ${of.toUpperCase()}`}}}`)

export async function fillPlaceholders(
  text: string,
  answer: (placeholder: Placeholder) => Promise<string> | string,
): Promise<string> {
  const parts: string[] = []
  let end = 0
  for (const match of text.matchAll(pattern)) {
    const [written, fact = '', of = ''] = match
    parts.push(text.slice(end, match.index), await answer({ fact, of }))
    end = match.index + written.length
  }
  return [...parts, text.slice(end)].join('')
}

const pattern = /\{\{([a-z0-9-]+)(?: ([^{}\s]+))?\}\}/g
