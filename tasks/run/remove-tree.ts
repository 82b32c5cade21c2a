// Removes a folder whosever its files are: what a build without root made belongs to subordinate ids, over which only a
// namespace of their owner's has power.

import { rm } from 'node:fs/promises'
import { ImgError } from '../errors.ts'

/** `what` says in the error what could not be removed: "which a build left that was killed". */
export async function removeTree(path: string, what: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true })
  } catch (error) {
    if (!refused.has((error as NodeJS.ErrnoException).code ?? '')) throw error
    await removeAsMappedRoot(path, what, error)
  }
}

const refused: ReadonlySet<string> = new Set(['EACCES', 'EPERM'])

async function removeAsMappedRoot(path: string, what: string, cause: unknown): Promise<void> {
  const { runProgram } = await import('./process.ts')
  const argv = ['unshare', '--user', '--map-root-user', '--map-auto', 'rm', '-rf', '--one-file-system', path]
  const { exitCode, stderr } = await runProgram(argv)
  if (exitCode === 0) return
  throw new ImgError('PERMISSION', `cannot remove ${path}, ${what}`, {
    path,
    hint: 'remove it as the user who built, or as root',
    output: stderr,
    cause,
  })
}
