// gpg with a folder of its own.

import { stat } from 'node:fs/promises'
import { runProgram, type ProgramResult } from '../../tasks/run/process.ts'

export async function runGpg(folder: string, args: readonly string[]): Promise<ProgramResult> {
  return runProgram(['gpg', '--batch', '--no-tty', '--quiet', ...args], {
    cwd: folder,
    env: { LC_ALL: 'C', GNUPGHOME: folder },
  })
}

export async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  )
}

export const lastLines = (text: string): string => text.trimEnd().split('\n').slice(-10).join('\n')
