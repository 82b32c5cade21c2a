// Pure: what publishing templates makes of an index.

import { ImgError } from '../../tasks/errors.ts'
import { renderIndexText, type IndexSection } from './index-text.ts'
import { identityOf, indexProblems, readSection, toSection, type TemplateEntry } from './template-entry.ts'

/** What a template says of itself; file name and revision are the repository's. */
export type TemplateFacts = Omit<TemplateEntry, 'file' | 'revision'>

export interface PublishedTemplate {
  readonly id: string
  readonly arch: string
  readonly file: string
  readonly revision: number
  /** `changed`: other bytes, so a new revision. `described`: only what is said of it. */
  readonly status: 'new' | 'changed' | 'described' | 'unchanged'
}

/** The next index, checked; `dir` is for messages. Throws REPOSITORY_INVALID. */
export function planPublication(
  templates: readonly TemplateFacts[],
  before: readonly IndexSection[],
  dir: string,
): {
  readonly planned: readonly Planned[]
  readonly sections: readonly IndexSection[]
  readonly text: string
} {
  const planned = templates.map((template) => plan(template, before))
  const sections = merge(before, planned)
  return { planned, sections, text: renderIndex(sections, dir) }
}

interface Planned {
  readonly entry: TemplateEntry
  readonly status: PublishedTemplate['status']
}

/** The next revision only for other bytes: clients cache under it, and fetch again when it grows. */
function plan(wanted: TemplateFacts, sections: readonly IndexSection[]): Planned {
  const old = sections
    .map(readSection)
    .find((entry) => 'id' in entry && identityOf(entry) === identityOf(wanted)) as TemplateEntry | undefined
  const file = `${wanted.id}-${wanted.sha512.slice(0, 12)}.xz`
  if (old === undefined) return { entry: { ...wanted, file, revision: 1 }, status: 'new' }
  if (old.sha512 !== wanted.sha512)
    return { entry: { ...wanted, file, revision: old.revision + 1 }, status: 'changed' }
  // In a folder below only somebody else can have put it; there it stays theirs.
  const entry = { ...wanted, file: old.file.includes('/') ? file : old.file, revision: old.revision }
  const isSame = JSON.stringify(toSection(entry)) === JSON.stringify(toSection(old))
  return { entry, status: isSame ? 'unchanged' : 'described' }
}

/** New ones behind; what others put into the index stays as it is. */
function merge(sections: readonly IndexSection[], planned: readonly Planned[]): readonly IndexSection[] {
  const left = new Map(planned.map(({ entry, status }) => [identityOf(entry), { entry, status }]))
  const merged = sections.map((section) => {
    const old = readSection(section)
    const identity = 'id' in old ? identityOf(old) : undefined
    const now = identity === undefined ? undefined : left.get(identity)
    if (now === undefined || identity === undefined) return section
    left.delete(identity)
    return now.status === 'unchanged' ? section : toSection(now.entry)
  })
  return [...merged, ...[...left.values()].map(({ entry }) => toSection(entry))]
}

function renderIndex(sections: readonly IndexSection[], dir: string): string {
  const problems = [...indexProblems(sections)]
  let text = ''
  try {
    text = renderIndexText(sections)
  } catch (cause) {
    problems.push((cause as Error).message)
  }
  if (problems.length === 0) return text
  throw new ImgError('REPOSITORY_INVALID', `the index of ${dir} would be wrong: ${problems.join('; ')}`, {
    path: dir,
    hint: 'nothing was published; correct the options of the template, or the index',
  })
}
