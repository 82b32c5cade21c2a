// Who last changed a file or a line of it, when the project is in git.

import type { RunContext } from '../context.ts'
import { runProgram } from './process.ts'

export interface GitCommit {
  /** Abbreviated; absent for a change that is not committed yet. */
  readonly commit?: string
  readonly author?: string
  /** `2026-11-22`. */
  readonly date?: string
  readonly summary: string
}

/** Undefined outside of git, and for a file git does not know. */
export async function lastCommit(
  { path, line }: { readonly path: string; readonly line?: number },
  context: Pick<RunContext, 'root' | 'signal'>,
): Promise<GitCommit | undefined> {
  if (line === undefined) return newestOf(path, context)
  const range = ['-L', `${line},${line}`]
  const text = await git(['blame', '--porcelain', ...range, '--', path], context)
  if (text === undefined) return undefined
  const [hash = ''] = text.split(' ')
  const field = (name: string): string => new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1] ?? ''
  if (/^0+$/.test(hash)) return { summary: 'not committed yet' }
  const seconds = Number(field('author-time'))
  return {
    commit: hash.slice(0, 9),
    author: field('author'),
    date: new Date(seconds * 1000).toISOString().slice(0, 10),
    summary: field('summary'),
  }
}

export function renderCommit({ commit, author, date, summary }: GitCommit): string {
  return commit === undefined ? summary : `commit ${commit} of ${date} by ${author}: ${summary}`
}

async function newestOf(
  path: string,
  context: Pick<RunContext, 'root' | 'signal'>,
): Promise<GitCommit | undefined> {
  const changed = await git(['status', '--porcelain', '--', path], context)
  if (changed === undefined) return undefined
  if (changed !== '') return { summary: 'not committed yet' }
  const text = await git(['log', '-1', '--abbrev=9', '--format=%h%n%an%n%as%n%s', '--', path], context)
  const [commit, author = '', date = '', summary = ''] = (text ?? '').trimEnd().split('\n')
  return commit === undefined || commit === '' ? undefined : { commit, author, date, summary }
}

/** Undefined when git is not there or refuses. */
async function git(
  args: readonly string[],
  { root, signal }: Pick<RunContext, 'root' | 'signal'>,
): Promise<string | undefined> {
  // Often root builds in somebody else's checkout, and nothing is written here.
  const argv = ['git', '-c', 'safe.directory=*', '--no-optional-locks', ...args]
  const result = await runProgram(argv, { cwd: root, signal, timeoutMs: 10_000 }).catch((error: unknown) => {
    if (signal.aborted) throw error
    return undefined
  })
  return result?.exitCode === 0 ? result.stdout : undefined
}
