// The files a puppet run needs beside its catalog: digested by path, executable bit and content, and laid out for a
// backend. Modes are normalised, since a checkout's umask must not change a key.

import { createHash } from 'node:crypto'
import { chmod, lstat, mkdir, readdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ImgError } from '../errors.ts'
import type { PuppetModule } from './catalog-compile.ts'

/** One file, link or folder of a staged tree. */
export interface StagedEntry {
  /** Within the tree; empty for the tree's own root, which may be a file. */
  readonly path: string
  /** Relative to the environment. */
  readonly from: string
  readonly kind: 'file' | 'link' | 'folder'
  readonly mode: '0644' | '0755'
  /** sha256 of a file's content, target of a link, empty for a folder. */
  readonly content: string
}

/** The tree at `from`, sorted by bytes; undefined when there is nothing. */
export async function listTree(
  environment: string,
  from: string,
): Promise<readonly StagedEntry[] | undefined> {
  const root = await describe(environment, { path: '', from })
  if (root === undefined) return undefined
  const entries = [root]
  for (const entry of entries) {
    if (entry.kind !== 'folder') continue
    const names = await readdir(join(environment, entry.from))
    const inner = names.map((name) => ({
      path: entry.path === '' ? name : `${entry.path}/${name}`,
      from: `${entry.from}/${name}`,
    }))
    const described = await Promise.all(inner.map((place) => describe(environment, place)))
    entries.push(...described.filter((found) => found !== undefined))
  }
  return entries.toSorted(byPath)
}

/** Every module's `lib/` as one tree, as pluginsync makes it: the module that comes first has precedence. */
export async function listPlugins(
  environment: string,
  modules: readonly PuppetModule[],
): Promise<readonly StagedEntry[]> {
  const merged = new Map<string, StagedEntry>()
  for (const module of modules) {
    const tree = (await listTree(environment, `${module.path}/lib`)) ?? []
    for (const entry of tree) if (!merged.has(entry.path)) merged.set(entry.path, entry)
  }
  return [...merged.values()].toSorted(byPath)
}

export function treeDigest(entries: readonly StagedEntry[]): string {
  const lines = entries.map(({ path, kind, mode, content }) => JSON.stringify([path, kind, mode, content]))
  return sha256(lines.join('\n'))
}

/** Writes the tree at `to`; throws INPUT_CHANGED when a file is no longer what was digested. */
export async function stageTree(
  environment: string,
  tree: { readonly entries: readonly StagedEntry[]; readonly to: string },
): Promise<void> {
  await mkdir(dirname(tree.to), { recursive: true })
  for (const entry of tree.entries) {
    const to = entry.path === '' ? tree.to : join(tree.to, entry.path)
    if (entry.kind === 'folder') {
      await mkdir(to, { recursive: true })
      await chmod(to, 0o755)
    } else if (entry.kind === 'link') await symlink(entry.content, to)
    else await stageFile(join(environment, entry.from), { entry, to })
  }
}

async function stageFile(
  from: string,
  staged: { readonly entry: StagedEntry; readonly to: string },
): Promise<void> {
  const content = await readFile(from).catch((cause: unknown) => changed(staged.entry.from, cause))
  if (sha256(content) !== staged.entry.content) changed(staged.entry.from)
  await writeFile(staged.to, content)
  await chmod(staged.to, Number.parseInt(staged.entry.mode, 8))
}

function changed(path: string, cause?: unknown): never {
  throw new ImgError('INPUT_CHANGED', `${path} changed while it was being used`, {
    hint: 'run the build again',
    path,
    ...(cause === undefined ? {} : { cause }),
  })
}

async function describe(
  environment: string,
  place: { readonly path: string; readonly from: string },
): Promise<StagedEntry | undefined> {
  const path = join(environment, place.from)
  const stat = await lstat(path).catch(() => undefined)
  if (stat === undefined) return undefined
  if (stat.isDirectory()) return { ...place, kind: 'folder', mode: '0755', content: '' }
  if (stat.isSymbolicLink()) return { ...place, kind: 'link', mode: '0755', content: await readlink(path) }
  if (!stat.isFile()) return undefined
  const mode = (stat.mode & 0o100) === 0 ? '0644' : '0755'
  return { ...place, kind: 'file', mode, content: sha256(await readFile(path)) }
}

const byPath = (a: StagedEntry, b: StagedEntry): number =>
  Buffer.compare(Buffer.from(a.path), Buffer.from(b.path))

export const sha256 = (content: string | Uint8Array): string =>
  createHash('sha256').update(content).digest('hex')
