// The signed index of a repository, checked as its readers check it before it is theirs.

import { readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { RunContext } from '../../tasks/context.ts'
import { ImgError } from '../../tasks/errors.ts'
import { runProgram } from '../../tasks/run/process.ts'
import { syncPath, writeDurably } from '../durable.ts'
import { clearSign } from './sign.ts'
import type { SigningKey } from './gpg-keys.ts'
import { parseIndexText } from './index-text.ts'
import { verifyClearSigned } from './verify-signature.ts'

export interface Place {
  readonly dir: string
  /** Folder on the same file system for what is not the repository's. */
  readonly own: string
  readonly key: SigningKey
}

/** Signs, looks at the result as a client will, and makes it the repository. */
export async function commitIndex(
  text: string,
  { dir, own, key }: Place,
  context: RunContext,
): Promise<void> {
  const signed = await clearSign(text, key, context)
  const seen = await verifyClearSigned(signed, key, join(dir, 'index.asc'))
  if (JSON.stringify(parseIndexText(seen)) !== JSON.stringify(parseIndexText(text)))
    throw new Error('the signed index does not read back as it was written')
  const tmp = join(own, 'tmp')
  const path = join(tmp, 'index.asc')
  await writeDurably(path, signed, tmp)
  await validate(path)
  const published = join(dir, 'index.gpg')
  if (!(await readFile(published).catch(() => undefined))?.equals(key.bytes))
    await writeDurably(published, key.bytes, tmp)
  await rename(path, join(dir, 'index.asc'))
  await syncPath(dir)
}

/** By virt-builder's own scanner, where it is installed. */
async function validate(path: string): Promise<void> {
  const result = await runProgram(['virt-index-validate', path], { env: { LC_ALL: 'C' } }).catch(
    (error: unknown) => {
      if (error instanceof ImgError && error.code === 'TOOL_MISSING') return undefined
      throw error
    },
  )
  // The launcher says 127 where the program is missing.
  if (result === undefined || result.exitCode === 0 || result.exitCode === 127) return
  throw new ImgError('REPOSITORY_INVALID', 'virt-index-validate refuses the new index', {
    hint: 'nothing was published; this is a mistake in img',
    output: result.stderr.trim(),
  })
}
