// Writes a target's files into a new folder beside its final name and renames that: the name never holds half a target.

import { randomUUID } from 'node:crypto'
import { mkdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ImgError } from '../errors.ts'

export interface FilesExport {
  readonly names: readonly string[]
  /** Writes one file, verified and on disk when it returns. */
  readonly restore: (name: string, to: string) => Promise<void>
  /** The folder; one that is there already is replaced. */
  readonly to: string
}

export async function exportFiles({ names, restore, to }: FilesExport): Promise<void> {
  const beside = (what: string): string => join(dirname(to), `.img-${what}-${randomUUID()}`)
  const [incoming, outgoing] = [beside('export'), beside('replaced')]
  try {
    await mkdir(incoming).catch((cause: unknown) => {
      throw writeError(to, cause)
    })
    for (const name of names) {
      const file = join(incoming, name)
      await mkdir(dirname(file), { recursive: true })
      await restore(name, file)
    }
    await rename(to, outgoing).catch(ignoreMissing)
    await rename(incoming, to)
  } finally {
    await rm(incoming, { recursive: true, force: true })
    await rm(outgoing, { recursive: true, force: true })
  }
}

function ignoreMissing(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
}

const writeError = (to: string, cause: unknown): ImgError =>
  new ImgError('PERMISSION', `cannot write ${to}`, {
    hint: 'check that the folder above it exists and may be written',
    path: to,
    output: cause instanceof Error ? cause.message : String(cause),
    cause,
  })
