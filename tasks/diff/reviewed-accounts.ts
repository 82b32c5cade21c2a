// Accounts name by name: numbers given in the order of creation are told from what else an account may be. Pure.

import type { LineFor, ReviewLine } from './review-list.ts'
import { readText, type ImageEntry, type ImageTree } from './tree.ts'

export const accountFiles: ReadonlySet<string> = new Set([
  'etc/passwd',
  'etc/shadow',
  'etc/group',
  'etc/gshadow',
])

export interface Accounts {
  /** The lines that cover every difference of one of accountFiles; undefined when they do not. */
  file(path: string): readonly ReviewLine[] | undefined
  /** The lines that cover one user (`etc/passwd`) or group (`etc/group`). */
  account(path: string, name: string): readonly ReviewLine[] | undefined
  /** Whether both files belong to users and groups of the same names, and nobody to root on one side alone. */
  sameOwner(old: ImageEntry, now: ImageEntry): boolean
}

export function reviewAccounts(trees: readonly [ImageTree, ImageTree], lineFor: LineFor): Accounts {
  const tables = new Map(
    [...accountFiles].map((path) => [path, trees.map((tree) => readTable(readText(tree, path)))] as const),
  )
  const tablesOf = (path: string): readonly Table[] => tables.get(path) ?? []
  const sameId = (path: 'etc/passwd' | 'etc/group', old: string, now: string): boolean => {
    if (old === now) return true
    const [one, other] = tablesOf(path).map((table, index) => nameOfId(table, index === 0 ? old : now))
    return isAllocated(old) && isAllocated(now) && one !== undefined && one === other
  }
  const account = (path: string, name: string): readonly ReviewLine[] | undefined => {
    const [old, now] = tablesOf(path).map((table) => table.get(name))
    if (old === undefined || now === undefined) return lineOfOneSide(path, name, old ?? now ?? [])
    const differing = old.flatMap((field, index) => (field === now[index] ? [] : [index]))
    if (old.length !== now.length) return undefined
    const covered = differing.map((index) => {
      const [was, is] = [old[index] ?? '', now[index] ?? '']
      const id = idFields[path]?.[index]
      if (id !== undefined) return sameId(id, was, is) ? lineFor('ids', `/${path}`) : undefined
      return lineForms[path]?.[index] === undefined ? undefined : lineFor(lineForms[path][index], name)
    })
    return definedOnly(covered)
  }
  const lineOfOneSide = (
    path: string,
    name: string,
    fields: readonly string[],
  ): readonly ReviewLine[] | undefined => {
    const [, password = '', id] = fields
    // Who may log in, or is root by another name, is never only a package's account.
    if (path === 'etc/shadow' && !/^[!*]/.test(password)) return undefined
    if (path === 'etc/gshadow' && !/^(?:[!*]|$)/.test(password)) return undefined
    if ((path === 'etc/passwd' || path === 'etc/group') && (id === '0' || password !== 'x')) return undefined
    const line = lineFor(path === 'etc/passwd' || path === 'etc/shadow' ? 'user' : 'group', name)
    return line === undefined ? undefined : [line]
  }
  const file = (path: string): readonly ReviewLine[] | undefined => {
    const [old = new Map(), now = new Map()] = tablesOf(path)
    const names = [...new Set([...old.keys(), ...now.keys()])]
    const differing = names.filter((name) => old.get(name)?.join(':') !== now.get(name)?.join(':'))
    const covered = differing.map((name) => account(path, name))
    const moved = orderOf(old, now) === orderOf(now, old) ? [] : [lineFor('ids', `/${path}`)]
    const [lines, moving] = [definedOnly(covered), definedOnly(moved)]
    return lines === undefined || moving === undefined ? undefined : [...lines.flat(), ...moving]
  }
  return {
    file,
    account,
    sameOwner: (old, now) =>
      sameId('etc/passwd', String(old.uid), String(now.uid)) &&
      sameId('etc/group', String(old.gid), String(now.gid)),
  }
}

/** Fields by name. */
type Table = ReadonlyMap<string, readonly string[]>

/** The first line of a name is its account; another one gets a name no list has. */
function readTable(text: string): Table {
  const table = new Map<string, readonly string[]>()
  for (const line of text.split('\n').filter((one) => one.includes(':'))) {
    let name = line.slice(0, line.indexOf(':'))
    while (table.has(name)) name += ':again'
    table.set(name, line.split(':'))
  }
  return table
}

/** Of the names both have. */
const orderOf = (one: Table, other: Table): string => [...one.keys()].filter((name) => other.has(name)).join()

/** Of two accounts with one number none is meant. */
function nameOfId(table: Table, id: string): string | undefined {
  const names = [...table].filter(([, fields]) => fields[2] === id).map(([name]) => name)
  return names.length === 1 ? names[0] : undefined
}

/** Debian's range for system accounts, whose numbers packages take as they come; no other number is chance. */
const isAllocated = (id: string): boolean => /^[1-9]\d\d$/.test(id)

const idFields: Readonly<Record<string, Readonly<Record<number, 'etc/passwd' | 'etc/group'>>>> = {
  'etc/passwd': { 2: 'etc/passwd', 3: 'etc/group' },
  'etc/group': { 2: 'etc/group' },
}

/** What a line for the user or group covers of one that is on both sides; passwords never. */
const lineForms: Readonly<Record<string, Readonly<Record<number, 'user' | 'group'>>>> = {
  'etc/passwd': { 4: 'user', 5: 'user', 6: 'user' },
  'etc/group': { 3: 'group' },
  'etc/gshadow': { 3: 'group' },
}

export function definedOnly<T>(values: readonly (T | undefined)[]): readonly T[] | undefined {
  const defined = values.filter((value) => value !== undefined)
  return defined.length === values.length ? defined : undefined
}
