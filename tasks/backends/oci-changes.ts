// What a layer's tree changed in the tree below it, as OCI image layers say it. Pure.

import type { TarEntry } from './tar-entries.ts'

/** Everything about a path that an image layer can change, as text; links of one file share its content's. */
export interface TreeFile {
  readonly entry: TarEntry
  readonly content: string
}

export type Tree = ReadonlyMap<string, TreeFile>

export interface Changes {
  /** Paths to be written, with all names of a file when one of them changed. */
  readonly written: ReadonlySet<string>
  /** Paths that are gone, without what lay below a folder that is gone; sorted. */
  readonly removed: readonly string[]
}

export function treeChanges(before: Tree, after: Tree): Changes {
  const written = new Set<string>()
  for (const [path, file] of after) {
    const old = before.get(path)
    if (old === undefined || render(old, before) !== render(file, after)) written.add(path)
  }
  // A link can only point to a file of the same layer: the whole group is written again.
  const groups = new Map<string, string[]>()
  for (const [path, { entry }] of after) {
    if (entry.type === '1') groups.set(entry.link, [...(groups.get(entry.link) ?? [entry.link]), path])
  }
  for (const group of groups.values()) {
    if (group.some((path) => written.has(path))) for (const path of group) written.add(path)
  }
  const gone = [...before.keys()].filter((path) => !after.has(path)).toSorted()
  const hides = (parent: string): boolean => before.has(parent) && after.get(parent)?.entry.type !== '5'
  const removed = gone.filter((path) => !isBelow(path, hides))
  return { written, removed }
}

/** A file that took the place of a folder hides what was in it by itself. */
function isBelow(path: string, hides: (parent: string) => boolean): boolean {
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
    if (hides(path.slice(0, end))) return true
  }
  return false
}

function render({ entry, content }: TreeFile, tree: Tree): string {
  const { path: _path, ...rest } = entry
  const linked = entry.type === '1' ? tree.get(entry.link)?.content : content
  const attributes = Object.entries(entry.attributes).toSorted(([one], [other]) => (one < other ? -1 : 1))
  return JSON.stringify([{ ...rest, attributes }, linked])
}

/** Marks a path as gone: an empty file beside it. */
export const whiteoutOf = (path: string): string => {
  const slash = path.lastIndexOf('/') + 1
  return `${path.slice(0, slash)}.wh.${path.slice(slash)}`
}

/**
 * What is left out of an image: `etc/fstab` with all below it, `dev/` only what is below. Never in: device nodes, the
 * root folder itself, and lost+found.
 */
export function isLeftOut(entry: TarEntry, exclude: readonly string[]): boolean {
  const { path, type } = entry
  if (path === '.' || path === 'lost+found' || type === '3' || type === '4') return true
  return exclude.some((pattern) =>
    pattern.endsWith('/') ? path.startsWith(pattern) : matches(path, pattern),
  )
}

/** `*` stands for any part of one name. */
function matches(path: string, pattern: string): boolean {
  if (!pattern.includes('*')) return path === pattern || path.startsWith(`${pattern}/`)
  const source = pattern.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`).replaceAll('*', '[^/]*')
  return new RegExp(`^${source}(?:/|$)`).test(path)
}
