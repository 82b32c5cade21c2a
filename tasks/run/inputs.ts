// Asks the outside what a declared input is now. `apt` and `catalog` inputs have their own files.

import { createHash } from 'node:crypto'
import { copyFile, readdir, readFile, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { ImgError } from '../errors.ts'
import type { InputDeclaration } from '../plan/recipe.ts'
import { suggest } from '../plan/suggest.ts'
import { portablePath, type Closure } from './closure.ts'
import { listFiles } from './input-files.ts'
import type { ResolvedInput } from './resolved.ts'
import { scriptDigest } from './script-source.ts'
import { stageFiles } from './stage-files.ts'
import type { StatCache } from './stat-cache.ts'

export type LocalInput = Exclude<
  InputDeclaration,
  { readonly kind: 'apt' | 'catalog' | 'medium' | 'template' }
>

export interface InputSources {
  /** The imgfile's folder. */
  readonly root: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stats: StatCache
  /** Of the loaded imgfile; only a script needs it. */
  readonly closure: Closure
  /** Layer and input: `role:web 0.script`. */
  readonly place: string
}

export async function resolveInput(declaration: LocalInput, sources: InputSources): Promise<ResolvedInput> {
  switch (declaration.kind) {
    case 'text':
      return resolveText(declaration, sources)
    case 'files':
      return resolveFiles(declaration, sources)
    case 'script':
      return resolveScript(sources)
    case 'secret':
      return resolveSecret(declaration)
    case 'env':
      return resolveEnv(declaration, sources)
  }
}

async function resolveText(
  { path }: Extract<LocalInput, { kind: 'text' }>,
  { root, stats }: InputSources,
): Promise<ResolvedInput> {
  const declared = join(root, path)
  await checkReadable(declared, path)
  // The stat of a link says nothing about the file behind it.
  const source = await realpath(declared)
  const { digest, content } = await readStable(source, { path, stats })
  return {
    kind: 'text',
    digest,
    files: [{ path, digest }],
    inKey: false,
    value: { path, content: decode(content, path) },
    seen: [declared, source],
    stage: (to) => copyFile(source, to),
  }
}

/** Content and digest of the same moment. */
async function readStable(
  source: string,
  { path, stats }: { readonly path: string; readonly stats: StatCache },
): Promise<{ digest: string; content: Buffer }> {
  for (let attempt = 0; attempt < 3; attempt++) {
    const digest = await stats.digest(source)
    const content = await readFile(source)
    if ((await stats.digest(source)) === digest) return { digest, content }
  }
  throw new ImgError('INPUT_INVALID', `${path} changes while it is read`, {
    path,
    hint: 'run the command again when nothing writes to the file',
  })
}

async function checkReadable(source: string, path: string): Promise<void> {
  try {
    if ((await stat(source)).isFile()) return
  } catch (error) {
    if (
      !(error instanceof Error) ||
      !('code' in error) ||
      (error.code !== 'ENOENT' && error.code !== 'ENOTDIR')
    ) {
      throw error
    }
    const meant = suggest(basename(path), await namesIn(dirname(source)))
    throw new ImgError('INPUT_MISSING', `there is no file ${path}`, {
      path,
      hint: meant === undefined ? 'check the path, relative to the imgfile' : `did you mean ${meant}?`,
      cause: error,
    })
  }
  throw new ImgError('INPUT_INVALID', `${path} is not a file`, { path, hint: 'name one text file' })
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch {
    return []
  }
}

/** A byte order mark is how some editors begin a file; it is no part of its text. */
function decode(content: Buffer, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content)
  } catch (error) {
    throw new ImgError('INPUT_INVALID', `${path} is not UTF-8 text`, {
      path,
      hint: 'convert it: iconv -f latin1 -t utf-8',
      cause: error,
    })
  }
}

async function resolveFiles(
  { base, patterns }: Extract<LocalInput, { kind: 'files' }>,
  { root, stats }: InputSources,
): Promise<ResolvedInput> {
  const { files, seen } = await listFiles({ root, base, patterns, stats })
  const listing = files.map((file) => [file.path, file.mode, file.target ?? file.digest])
  return {
    kind: 'files',
    digest: createHash('sha256')
      .update(JSON.stringify(['files 1', listing]))
      .digest('hex'),
    files: files.map(({ path, mode, digest }) => ({ path: join(base, path), digest, mode })),
    inKey: true,
    seen,
    stage: (to) => stageFiles(files, to),
  }
}

function resolveScript(sources: InputSources): ResolvedInput {
  const { closure, root } = sources
  return {
    kind: 'script',
    digest: scriptDigest(sources),
    files: closure.files.map(({ path, digest }) => ({ path: portablePath(root, path), digest })),
    inKey: true,
    seen: closure.files.map(({ path }) => path),
  }
}

/** Its value is asked for by the step that needs it. */
function resolveSecret({ secret }: Extract<LocalInput, { kind: 'secret' }>): ResolvedInput {
  const digest = createHash('sha256').update(`secret ${secret.name}`).digest('hex')
  return { kind: 'secret', digest, files: [], inKey: false, seen: [] }
}

function resolveEnv(
  { name, default: fallback }: Extract<LocalInput, { kind: 'env' }>,
  { env }: InputSources,
): ResolvedInput {
  const value = env[name] ?? fallback
  if (value === undefined) {
    throw new ImgError('INPUT_MISSING', `the environment variable ${name} is not set`, {
      hint: `set it: ${name}=… img build; or declare the input with a default`,
    })
  }
  const digest = createHash('sha256').update(value).digest('hex')
  return { kind: 'env', digest, files: [], inKey: true, value, seen: [] }
}
