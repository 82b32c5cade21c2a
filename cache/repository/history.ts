// Which template files of a repository are ours, so that old ones can go: a client that read the previous index still
// fetches what that names.

import { ImgError } from '../../tasks/errors.ts'
import { readIfThere } from '../read-if-there.ts'

export interface History {
  readonly format: 1
  /** By file name. Written down before a file is there, so that none is ever forgotten. */
  readonly files: Readonly<Record<string, HistoryFile>>
}

export interface HistoryFile {
  /** `ceph-node x86_64`. */
  readonly template: string
  readonly revision: number
  /** When the index first did not name it any more, ms since 1970. */
  readonly replaced?: number
}

export async function loadHistory(path: string): Promise<History> {
  const text = await readIfThere(path)
  if (text === undefined) return { format: 1, files: {} }
  const found = parseHistory(text)
  if (found !== undefined) return found
  throw new ImgError('REPOSITORY_INVALID', `${path} is no list of published files`, {
    path,
    hint: 'remove it: old template files are then kept for ever, and nothing else is lost',
  })
}

export const renderHistory = (history: History): string => `${JSON.stringify(history, undefined, 1)}\n`

/** Pure. Notes what the index names no more; `named` are the files it names. */
export function noteReplaced(history: History, named: ReadonlySet<string>, now: number): History {
  const files = Object.entries(history.files).map(([name, { template, revision, replaced }]) => {
    const gone = named.has(name) ? {} : { replaced: replaced ?? now }
    return [name, { template, revision, ...gone }] as const
  })
  return { format: 1, files: Object.fromEntries(files) }
}

/** Pure. Files replaced longer than `grace` ms ago, all but the newest `keep` of each template. */
export function oldFiles(
  { files }: History,
  { keep, grace, now }: { readonly keep: number; readonly grace: number; readonly now: number },
): readonly string[] {
  const byTemplate = new Map<string, [string, HistoryFile & { readonly replaced: number }][]>()
  for (const [name, file] of Object.entries(files)) {
    if (file.replaced === undefined) continue
    const list = byTemplate.get(file.template) ?? []
    byTemplate.set(file.template, [...list, [name, { ...file, replaced: file.replaced }]])
  }
  return [...byTemplate.values()].flatMap((list) =>
    list
      .toSorted(([, a], [, b]) => b.revision - a.revision || b.replaced - a.replaced)
      .slice(keep)
      .filter(([, { replaced }]) => now - replaced >= grace)
      .map(([name]) => name),
  )
}

function parseHistory(text: string): History | undefined {
  try {
    const found = JSON.parse(text) as History
    return found.format === 1 && Object.keys(found.files).every(isFileName) ? found : undefined
  } catch {
    return undefined
  }
}

/** They are removed by these names one day. */
const isFileName = (name: string): boolean => /^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(name)
