// gpg with a folder of its own, of which nothing is left.

import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runProgram, type ProgramResult } from '../../tasks/run/process.ts'

export async function runGpg(folder: string, args: readonly string[]): Promise<ProgramResult> {
  return runProgram(['gpg', '--batch', '--no-tty', '--quiet', ...args], {
    cwd: folder,
    env: { LC_ALL: 'C', GNUPGHOME: folder },
  })
}

export async function inFolder<T>(fn: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'img-gpg-'))
  try {
    return await fn(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

export async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  )
}

export const lastLines = (text: string): string => text.trimEnd().split('\n').slice(-10).join('\n')
