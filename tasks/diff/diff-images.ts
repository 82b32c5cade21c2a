// Two images side by side: what they are made of in the words of an administrator, then every file.

import { compareDisks } from './compare-disks.ts'
import { compareTrees, type FileDifference } from './compare-trees.ts'
import { matchPaths, type IgnoredPath } from './path-patterns.ts'
import { factKinds, readSystemFacts, type SystemFacts } from './system-facts.ts'
import { diffLines } from './text-diff.ts'
import { readFile, readText, type ImageTree } from './tree.ts'

export interface ImageDifference {
  /** By kind (`packages`, `users`…), sorted by name; kinds without a difference are left out. */
  readonly facts: Readonly<Partial<Record<keyof SystemFacts, readonly FactDifference[]>>>
  readonly files: readonly DescribedFile[]
  /** Partitions and size of the disk, when they differ: `size 4294967296 -> 8589934592`. */
  readonly disk: readonly string[]
  /** Bytes in files before and after. */
  readonly bytes: readonly [before: number, after: number]
  readonly ignored: readonly IgnoredDifference[]
}

export interface FactDifference {
  readonly name: string
  readonly before?: string
  readonly after?: string
}

export interface DescribedFile extends FileDifference {
  /** The package that brought it, when its version differs, too: such a file is no surprise. */
  readonly package?: string
  /** Lines that differ, of a text. */
  readonly lines?: readonly string[]
  /** What a reviewed list calls the two texts, where one was asked. */
  readonly digest?: string
}

export interface IgnoredDifference {
  readonly path: string
  readonly pattern: string
  readonly reason: string
}

export interface DiffOptions {
  readonly times: boolean
  readonly ignore: readonly IgnoredPath[]
}

export function diffImages(before: ImageTree, after: ImageTree, options: DiffOptions): ImageDifference {
  const isIgnored = matchPaths(options.ignore)
  const [was, is] = [readSystemFacts(before), readSystemFacts(after)]
  const facts = factKinds.map((kind) => [kind, compareFacts(was[kind], is[kind])] as const)
  const changedPackages = new Set(compareFacts(was.packages, is.packages).map(({ name }) => name))
  const owners = ownersOf([before, after], changedPackages)
  const files: DescribedFile[] = []
  const ignored: IgnoredDifference[] = []
  for (const difference of compareTrees(before, after, options)) {
    const by = isIgnored(difference.path)
    if (by === undefined) files.push(describe(difference, { before, after, owners }))
    else ignored.push({ path: difference.path, pattern: by.pattern, reason: by.reason })
  }
  return {
    facts: Object.fromEntries(facts.filter(([, differences]) => differences.length > 0)),
    files,
    disk: compareDisks(before, after).map(({ text }) => text),
    bytes: [bytesIn(before), bytesIn(after)],
    ignored,
  }
}

export const isEqual = ({ facts, files, disk }: ImageDifference): boolean =>
  Object.keys(facts).length === 0 && files.length === 0 && disk.length === 0

function compareFacts(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): readonly FactDifference[] {
  const names = [...new Set([...before.keys(), ...after.keys()])].toSorted()
  return names.flatMap((name) => {
    const [old, now] = [before.get(name), after.get(name)]
    if (old === now) return []
    return [
      { name, ...(old === undefined ? {} : { before: old }), ...(now === undefined ? {} : { after: now }) },
    ]
  })
}

/** Paths that dpkg says came with one of these packages, in either image. */
function ownersOf(trees: readonly ImageTree[], packages: ReadonlySet<string>): ReadonlyMap<string, string> {
  // Its own bookkeeping says nothing that the packages do not.
  const owners = new Map<string, string>(packages.size === 0 ? [] : [['var/lib/dpkg/status', 'dpkg']])
  for (const tree of trees) {
    for (const path of tree.entries.keys()) {
      const [, name = ''] = /^var\/lib\/dpkg\/info\/([^/:]+)(?::[^/]+)?\.[a-z0-9]+$/.exec(path) ?? []
      if (!packages.has(name)) continue
      owners.set(path, name)
      if (!path.endsWith('.list')) continue
      for (const line of readText(tree, path).split('\n')) owners.set(line.slice(1), name)
    }
  }
  return owners
}

function describe(
  difference: FileDifference,
  about: {
    readonly before: ImageTree
    readonly after: ImageTree
    readonly owners: ReadonlyMap<string, string>
  },
): DescribedFile {
  const { before, after, owners } = about
  // Where usr was merged, dpkg still says /bin.
  const owner = owners.get(difference.path) ?? owners.get(difference.path.replace(/^usr\//, ''))
  if (owner !== undefined) return { ...difference, package: owner }
  if (!difference.what.includes('content')) return difference
  const [old, now] = [toText(readFile(before, difference.path)), toText(readFile(after, difference.path))]
  const lines = old === undefined || now === undefined ? undefined : diffLines(old, now)
  return lines === undefined ? difference : { ...difference, lines }
}

const textLimit = 256 * 1024

function toText(bytes: Buffer): string | undefined {
  if (bytes.length > textLimit || bytes.includes(0)) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    // Not a text.
    return undefined
  }
}

const bytesIn = ({ entries }: ImageTree): number => {
  let sum = 0
  for (const { size } of entries.values()) sum += size
  return sum
}
