// What a package that only one image has, or in another version, brings along: reviewed as long as it is as it came.

import { createHash } from 'node:crypto'
import { definedOnly } from './reviewed-accounts.ts'
import type { LineFor, ReviewLine } from './review-list.ts'
import { readFile, readText, type ImageEntry, type ImageTree } from './tree.ts'

/** By paragraphs, whose order says nothing. */
export const packageStatus = 'var/lib/dpkg/status'

export interface Packages {
  /** The line for the package that brought this path on each side that has it, unchanged since. */
  line(path: string): ReviewLine | undefined
  /** The lines that cover every difference of packageStatus; undefined when they do not. */
  status(): readonly ReviewLine[] | undefined
}

export function reviewPackages(trees: readonly [ImageTree, ImageTree], lineFor: LineFor): Packages {
  const statuses = trees.map((tree) => readParagraphs(readText(tree, packageStatus)))
  const lines = new Map<string, ReviewLine>()
  for (const name of differingKeys(statuses)) {
    const line = lineFor('package', name)
    if (line !== undefined) lines.set(name, line)
  }
  const owned = trees.map((tree, side) =>
    readOwned(tree, { names: lines, status: statuses[side] ?? new Map() }),
  )
  return {
    line: (path) => {
      const info = /^var\/lib\/dpkg\/info\/([^/:]+)(?::[^/]+)?\.[a-z0-9]+$/.exec(path)?.[1]
      if (info !== undefined) return lines.get(info)
      const owners = trees.flatMap((tree, side) => {
        const entry = tree.entries.get(path)
        return entry === undefined ? [] : [ownerOf(tree, entry, owned[side] ?? new Map())]
      })
      const [owner] = owners
      return owner === undefined || owners.some((other) => other !== owner) ? undefined : lines.get(owner)
    },
    status: () => definedOnly(differingKeys(statuses).map((name) => lines.get(name))),
  }
}

function differingKeys(tables: readonly ReadonlyMap<string, string>[]): readonly string[] {
  const [old = new Map(), now = new Map()] = tables
  return [...new Set([...old.keys(), ...now.keys()])].filter((key) => old.get(key) !== now.get(key))
}

/** By package; those of several architectures are one. The priority is the archive's wish of the day. */
function readParagraphs(text: string): ReadonlyMap<string, string> {
  const paragraphs = new Map<string, string>()
  for (const paragraph of text.split(/\n\n+/)) {
    const name = /^Package: (.*)$/m.exec(paragraph)?.[1]
    if (name !== undefined)
      paragraphs.set(
        name,
        `${paragraphs.get(name) ?? ''}${paragraph.replace(/^Priority: .*\n/m, '').trim()}\n`,
      )
  }
  return paragraphs
}

/** Package and, of a file, MD5 as dpkg keeps it; by path. */
type Owned = ReadonlyMap<string, { readonly name: string; readonly md5?: string }>

function readOwned(
  tree: ImageTree,
  {
    names,
    status,
  }: { readonly names: ReadonlyMap<string, unknown>; readonly status: ReadonlyMap<string, string> },
): Owned {
  const owned = new Map<string, { readonly name: string; readonly md5?: string }>()
  for (const list of tree.entries.keys()) {
    const [, stem = '', name = ''] = /^(var\/lib\/dpkg\/info\/([^/:]+)(?::[^/]+)?)\.list$/.exec(list) ?? []
    if (!names.has(name)) continue
    const sums = new Map([
      ...readSums(readText(tree, `${stem}.md5sums`), /^([0-9a-f]{32}) {2}(.+)$/gm, [2, 1]),
      ...readSums(status.get(name) ?? '', /^ \/(\S+) ([0-9a-f]{32})/gm, [1, 2]),
    ])
    for (const line of readText(tree, list).split('\n')) {
      const md5 = sums.get(line.slice(1))
      owned.set(line.slice(1), { name, ...(md5 === undefined ? {} : { md5 }) })
    }
  }
  return owned
}

const readSums = (
  text: string,
  expression: RegExp,
  [path, sum]: readonly [number, number],
): readonly (readonly [string, string])[] =>
  [...text.matchAll(expression)].map((found) => [found[path] ?? '', found[sum] ?? ''] as const)

/** Undefined also for what is no longer as the package brought it, or which others than root may change. */
function ownerOf(tree: ImageTree, entry: ImageEntry, owned: Owned): string | undefined {
  // Where usr was merged, dpkg still says /bin.
  const one = owned.get(entry.path) ?? owned.get(entry.path.replace(/^usr\//, ''))
  if (one === undefined || entry.uid !== 0 || entry.gid !== 0) return undefined
  if (Object.keys(entry.attributes).length > 0) return undefined
  if (entry.kind === 'link') return one.name
  if ((entry.mode & 0o6022) !== 0) return undefined
  if (entry.kind === 'folder') return one.name
  const md5 = createHash('md5').update(readFile(tree, entry.path)).digest('hex')
  return entry.kind === 'file' && one.md5 === md5 ? one.name : undefined
}
