// Files a layer takes from the project, listed the same on every machine: sorted by bytes, names in NFC, links as
// links, empty folders too. Of the mode only "may be executed" counts, as in git: the rest is the umask of a checkout.

import { createHash } from 'node:crypto'
import { lstat, readdir, readlink } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { promisify } from 'node:util'
import { ImgError } from '../errors.ts'
import type { StatCache } from './stat-cache.ts'

export interface ListedFile {
  /** Below the base, with `/`, in NFC. */
  readonly path: string
  readonly mode: '0644' | '0755' | 'link' | 'dir'
  /** sha256 of the content, or of the link's target; of nothing for a folder. */
  readonly digest: string
  /** Where a link points. */
  readonly target?: string
  /** Absolute. */
  readonly source: string
}

export interface FilesToList {
  readonly root: string
  readonly base: string
  readonly patterns: readonly string[]
  readonly stats: StatCache
}

/** `seen`: every file and folder that was looked at; while none of them changes, the list does not. */
export async function listFiles(wanted: FilesToList): Promise<{ files: ListedFile[]; seen: string[] }> {
  const folder = join(wanted.root, wanted.base)
  await checkBase(folder, wanted.base)
  const ignore = wanted.patterns
    .filter((pattern) => pattern.startsWith('!'))
    .map((pattern) => pattern.slice(1))
  const read = new Set<string>([folder])
  const names = new Set<string>()
  for (const pattern of wanted.patterns.filter((each) => !each.startsWith('!'))) {
    for (const name of await expand(pattern, { ...wanted, folder, ignore, read })) names.add(name)
  }
  const entries = await mapLimited([...names], (name) => describe(name, folder, wanted))
  const files = withoutFilledFolders(entries.filter((entry) => entry !== undefined))
  files.sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)))
  checkDistinct(files, wanted.base)
  return { files, seen: [...read, ...files.map(({ source }) => source)] }
}

interface Expansion extends FilesToList {
  readonly folder: string
  readonly ignore: readonly string[]
  /** Folders that were read, added to. */
  readonly read: Set<string>
}

async function expand(pattern: string, wanted: Expansion): Promise<readonly string[]> {
  checkPattern(pattern, wanted.base)
  // A layer may have no files, and a plan of remembered ones needs no globs: loaded when first used.
  const { default: fastGlob } = await import('fast-glob')
  const trimmed = pattern.replace(/^(?:\.\/)+/, '').replace(/\/+$/, '')
  const names = await glob(trimmed, wanted)
  // A plain name of a folder means what is in it; fast-glob would give the folder alone.
  const isFolder = !fastGlob.isDynamicPattern(trimmed) && (await isDirectory(join(wanted.folder, trimmed)))
  const below = isFolder ? await glob(`${fastGlob.escapePath(trimmed)}/**`, wanted) : []
  const all = [...names, ...below]
  if (all.length > 0) return all
  throw new ImgError('INPUT_MISSING', `no file matches ${pattern} in ${wanted.base}`, {
    path: wanted.base,
    hint: 'check the pattern; it is relative to the base',
    found: pattern,
  })
}

function checkPattern(pattern: string, base: string): void {
  if (!isAbsolute(pattern) && !pattern.split('/').includes('..')) return
  throw new ImgError('INPUT_INVALID', `the pattern ${pattern} leaves its base ${base}`, {
    hint: 'choose a base above the files and patterns below it',
    found: pattern,
  })
}

async function glob(pattern: string, { folder, base, ignore, read }: Expansion): Promise<string[]> {
  // fast-glob hands over its own callback; what is wanted from it is only which folders decide the result.
  const recording = ((path: string, ...rest: [never]) => {
    read.add(path)
    readdir(path, ...rest)
  }) as typeof readdir
  const { default: fastGlob } = await import('fast-glob')
  try {
    return await fastGlob(pattern, {
      cwd: folder,
      dot: true,
      onlyFiles: false,
      followSymbolicLinks: false,
      ignore: ['**/.git', '**/.git/**', ...ignore],
      fs: { readdir: recording },
    })
  } catch (error) {
    throw unreadable(error, base)
  }
}

/** Undefined for what is gone since its folder was read: an editor's own file, or one that is being renamed. */
async function describe(
  name: string,
  folder: string,
  { base, stats }: FilesToList,
): Promise<ListedFile | undefined> {
  const source = join(folder, name)
  const path = name.normalize('NFC')
  try {
    const found = await lstatOf(source)
    if (found.isDirectory()) return { path, mode: 'dir', digest: sha256(''), source }
    if (found.isSymbolicLink()) {
      const target = await readlinkOf(source)
      return { path, mode: 'link', digest: sha256(target), target, source }
    }
    if (found.isFile()) {
      const mode = (found.mode & 0o100) === 0 ? '0644' : '0755'
      return { path, mode, digest: await stats.digest(source), source }
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error instanceof ImgError ? error : unreadable(error, join(base, name))
  }
  throw new ImgError('INPUT_INVALID', `${join(base, name)} is neither a file, a folder nor a link`, {
    path: join(base, name),
    hint: 'exclude it with a pattern that starts with !',
  })
}

/** A folder with something in it is there because of that; its mode does not count. */
function withoutFilledFolders(entries: readonly ListedFile[]): ListedFile[] {
  const filled = new Set<string>()
  for (const { path } of entries) {
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1))
      filled.add(path.slice(0, end))
  }
  return entries.filter(({ mode, path }) => mode !== 'dir' || !filled.has(path))
}

function checkDistinct(sorted: readonly ListedFile[], base: string): void {
  for (const [index, { path }] of sorted.entries()) {
    if (sorted[index + 1]?.path !== path) continue
    throw new ImgError(
      'INPUT_INVALID',
      `two files in ${base} are called ${path}, written in different ways`,
      {
        path: join(base, path),
        hint: 'rename one: Unicode has two spellings for its letters, and other machines know one',
      },
    )
  }
}

async function checkBase(folder: string, base: string): Promise<void> {
  try {
    if ((await promisify(lstat)(folder)).isFile()) {
      throw new ImgError('INPUT_INVALID', `the base ${base} is a file`, {
        path: base,
        hint: 'give its folder as base and its name as pattern',
      })
    }
  } catch (error) {
    if (error instanceof ImgError || (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw new ImgError('INPUT_MISSING', `there is no folder ${base}`, {
      path: base,
      hint: 'check the base, relative to the imgfile',
      cause: error,
    })
  }
}

function unreadable(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error
  return new ImgError('INPUT_INVALID', `cannot read ${path}: ${error.message}`, {
    path,
    hint: 'check owner and mode, or exclude it with a pattern that starts with !',
    cause: error,
  })
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await lstatOf(path)).isDirectory()
  } catch {
    return false
  }
}

const lstatOf = promisify(lstat)
const readlinkOf = promisify(readlink)
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** A few at a time: thousands of open files are an error on most machines. */
async function mapLimited<T, R>(items: readonly T[], run: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  const lanes = Array.from({ length: Math.min(16, items.length) }, async (_lane, first) => {
    for (let index = first; index < items.length; index += 16) results[index] = await run(items[index] as T)
  })
  await Promise.all(lanes)
  return results
}
