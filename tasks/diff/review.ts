// A difference against a list of reviewed ones: what no line covers stays, everything else is named with its reason.

import { compareDisks } from './compare-disks.ts'
import type { DescribedFile, FactDifference, IgnoredDifference, ImageDifference } from './diff-images.ts'
import { accountFiles, definedOnly, reviewAccounts, type Accounts } from './reviewed-accounts.ts'
import { packageStatus, reviewPackages, type Packages } from './reviewed-packages.ts'
import { sameBytecode, sameLines, textDigest } from './reviewed-texts.ts'
import { lineFinder, titleOf, type LineFor, type ReviewForm, type ReviewLine } from './review-list.ts'
import type { SystemFacts } from './system-facts.ts'
import { readFile, type ImageTree } from './tree.ts'

export function reviewDifference(
  difference: ImageDifference,
  trees: readonly [ImageTree, ImageTree],
  list: readonly ReviewLine[],
): ImageDifference {
  const lineFor = lineFinder(list)
  const about: Subject = {
    trees,
    lineFor,
    accounts: reviewAccounts(trees, lineFor),
    packages: reviewPackages(trees, lineFor),
  }
  const ignored: IgnoredDifference[] = []
  const isLeft = (path: string, lines: readonly ReviewLine[] | undefined): boolean => {
    if (lines === undefined || lines.length === 0) return true
    for (const line of new Set(lines)) ignored.push({ path, pattern: titleOf(line), reason: line.reason })
    return false
  }
  const facts = Object.entries(difference.facts).map(([kind, differences]) => {
    const left = differences.filter((fact) =>
      isLeft(`${kind} ${fact.name}`, factReviews[kind as keyof SystemFacts](fact, about)),
    )
    return [kind, left] as const
  })
  const disks = compareDisks(...trees).filter(({ text, what }) =>
    isLeft(`disk ${text}`, definedOnly(what.map((one) => lineFor('disk', one)))),
  )
  return {
    ...difference,
    facts: Object.fromEntries(facts.filter(([, left]) => left.length > 0)),
    files: difference.files
      .filter((file) => isLeft(file.path, reviewFile(file, about)))
      .map((file) => nameTexts(file, trees)),
    disk: disks.map(({ text }) => text),
    ignored: [...difference.ignored, ...ignored],
  }
}

interface Subject {
  readonly trees: readonly [ImageTree, ImageTree]
  readonly lineFor: LineFor
  readonly accounts: Accounts
  readonly packages: Packages
}

type FactReview = (fact: FactDifference, about: Subject) => readonly ReviewLine[] | undefined

const named =
  (form: ReviewForm): FactReview =>
  ({ name }, { lineFor }) =>
    definedOnly([lineFor(form, name)])

const factReviews: Readonly<Record<keyof SystemFacts, FactReview>> = {
  packages: named('package'),
  users: ({ name }, { accounts }) => accounts.account('etc/passwd', name),
  groups: ({ name }, { accounts }) => accounts.account('etc/group', name),
  setuid: (fact, about) => {
    const path = fact.name.slice(1)
    const [old, now] = about.trees.map(({ entries }) => entries.get(path))
    const isSame = old?.mode === now?.mode && old !== undefined && now !== undefined
    const ids = isSame && about.accounts.sameOwner(old, now) ? about.lineFor('ids', fact.name) : undefined
    return ids === undefined ? named('setuid')(fact, about) : [ids]
  },
  capabilities: named('capability'),
  services: named('unit'),
  kernel: reviewKernel,
}

/** Order counts among the words that were not reviewed: of several consoles the last one is the system's. */
function reviewKernel(fact: FactDifference, about: Subject): readonly ReviewLine[] | undefined {
  const { before, after } = fact
  if (before === undefined || after === undefined) return named('kernel')(fact, about)
  const [old, now] = [before.split(/\s+/), after.split(/\s+/)]
  const rest = (words: readonly string[]): string =>
    words.filter((word) => about.lineFor('argument', word) === undefined).join(' ')
  if (rest(old) !== rest(now)) return undefined
  const differing = [
    ...old.filter((word) => !now.includes(word)),
    ...now.filter((word) => !old.includes(word)),
  ]
  return definedOnly(differing.map((word) => about.lineFor('argument', word)))
}

function reviewFile(file: DescribedFile, about: Subject): readonly ReviewLine[] | undefined {
  const { lineFor, accounts, packages, trees } = about
  const path = `/${file.path}`
  const byPath = lineFor('path', path)
  if (byPath !== undefined) return [byPath]
  const [old, now] = trees.map(({ entries }) => entries.get(file.path))
  if (old !== undefined && now !== undefined && file.what.join() === 'owner')
    return accounts.sameOwner(old, now) ? definedOnly([lineFor('ids', path)]) : undefined
  const byContent = reviewContent(file, about)
  if (byContent !== undefined) return [byContent]
  const isContent = file.what.every((what) => what === 'content' || what === 'target')
  if (isContent && accountFiles.has(file.path)) return accounts.file(file.path)
  if (isContent && file.path === packageStatus) return packages.status()
  const line = reviewEnabling(file, about) ?? (isContent ? packages.line(file.path) : undefined)
  return line === undefined ? undefined : [line]
}

function reviewContent(file: DescribedFile, { lineFor, trees }: Subject): ReviewLine | undefined {
  const path = `/${file.path}`
  const text = lineFor('text', path)
  if (text !== undefined && text.digest === digestOf(file, trees)) return text
  if (file.change !== 'changed' || file.what.join() !== 'content') return undefined
  const [old, now] = trees.map((tree) => readFile(tree, file.path)) as [Buffer, Buffer]
  const order = lineFor('order', path)
  if (order !== undefined && sameLines(old, now)) return order
  const bytecode = lineFor('bytecode', path)
  return bytecode !== undefined && sameBytecode(old, now) ? bytecode : undefined
}

/** Links that enable a unit, and what Debian's package scripts remember of them, go with the unit. */
function reviewEnabling(
  { path, change }: DescribedFile,
  { lineFor, trees }: Subject,
): ReviewLine | undefined {
  const [, unit = ''] =
    /^etc\/systemd\/system\/[^/]+\.(?:wants|requires)\/([^/]+)$/.exec(path) ??
    /^var\/lib\/systemd\/deb-systemd-helper-enabled\/(?:[^/]+\.(?:wants|requires)\/)?([^/]+?)(?:\.dsh-also)?$/.exec(
      path,
    ) ??
    []
  if (unit === '' || change === 'changed') return undefined
  const entry = trees.map(({ entries }) => entries.get(path)).find((one) => one !== undefined)
  const isLink = entry?.kind === 'link' && entry.target?.split('/').at(-1) === unit
  return isLink || (entry?.kind === 'file' && path.startsWith('var/')) ? lineFor('unit', unit) : undefined
}

/** Undefined where more than the content differs, or others than root may write: that is not in a text. */
function digestOf({ path, change, what }: DescribedFile, trees: Subject['trees']): string | undefined {
  const isPlain = trees.every(({ entries }) => {
    const entry = entries.get(path)
    if (entry === undefined) return true
    return entry.kind === 'file' && entry.uid === 0 && (entry.mode & 0o6022) === 0 && entry.size <= textLimit
  })
  if (!isPlain || (change === 'changed' && what.join() !== 'content')) return undefined
  const [old, now] = trees.map((tree) => readFile(tree, path)) as [Buffer, Buffer]
  return old.includes(0) || now.includes(0) ? undefined : textDigest(old, now)
}

const textLimit = 256 * 1024

function nameTexts(file: DescribedFile, trees: Subject['trees']): DescribedFile {
  const digest = file.package === undefined ? digestOf(file, trees) : undefined
  return digest === undefined ? file : { ...file, digest }
}
