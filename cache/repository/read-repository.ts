// What a folder publishes now, as far as its signature says so.

import { join } from 'node:path'
import { ImgError } from '../../tasks/errors.ts'
import { readIfThere } from '../read-if-there.ts'
import type { PublicKey } from './gpg-keys.ts'
import { verifyClearSigned } from './verify-signature.ts'
import { IndexError, parseIndexText, type IndexSection } from './index-text.ts'

export interface Repository {
  /** Undefined when nothing is published yet. */
  readonly text: string | undefined
  readonly sections: readonly IndexSection[]
}

/** Throws SIGNATURE_INVALID or REPOSITORY_INVALID: nothing unsigned ever gets our signature. */
export async function readRepository(dir: string, key: PublicKey): Promise<Repository> {
  const path = join(dir, 'index.asc')
  const file = await readIfThere(path)
  if (file !== undefined) return verifyIndex(file, key, path)
  if ((await readIfThere(join(dir, 'index'))) !== undefined) {
    throw new ImgError('REPOSITORY_INVALID', `${dir} has an index that is not signed`, {
      path: join(dir, 'index'),
      hint: 'check it and sign it with `gpg --clearsign index`, or move it away to start anew',
    })
  }
  return { text: undefined, sections: [] }
}

/** Sections of an index, once its signature is verified; `what` names it in messages. */
export async function verifyIndex(
  file: string,
  key: PublicKey,
  what: string,
): Promise<Repository & { text: string }> {
  const text = await verifyClearSigned(file, key, what)
  try {
    return { text, sections: parseIndexText(text) }
  } catch (cause) {
    if (!(cause instanceof IndexError)) throw cause
    throw new ImgError('REPOSITORY_INVALID', `${what} is no index: ${cause.message}`, {
      path: what,
      line: cause.line,
      hint: 'see virt-builder(1), INDEX FILES',
      cause,
    })
  }
}
