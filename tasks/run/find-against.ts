// What `img why LAYER --against BUILD` compares with: a build of this machine, one somebody sent, or a file.

import { readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseRecord } from '../../cache/record.ts'
import type { LayerRecord } from '../../cache/store.ts'
import { ImgError } from '../errors.ts'
import { findRecord } from './find-image.ts'
import type { Project } from './project.ts'
import type { Remotes } from './remotes.ts'

export interface Against {
  readonly record: LayerRecord
  /** Absent: a build of this machine, or of a file. */
  readonly from?: { readonly remote: string; readonly namespace: string; readonly signer: string }
}

/**
 * `written` is `remote`, a remote's URL or name, a key, `LAYER@previous`, or a file of what `img show --json` printed,
 * here or on another machine. Throws INPUT_INVALID, RECORD_MISSING, REMOTE_FAILED, OPTION_INVALID.
 */
export async function findAgainst(
  project: Project,
  layer: string,
  {
    written,
    cwd,
    remotes,
  }: { readonly written: string; readonly cwd: string; readonly remotes: () => Promise<Remotes> },
): Promise<Against> {
  const path = resolve(cwd, written)
  const stat = statSync(path, { throwIfNoEntry: false })
  if (written === 'remote' || written.includes('://') || stat?.isDirectory() === true)
    return newestElsewhere(await remotes(), layer, written)
  if (stat?.isFile() !== true) return { record: await findRecord(project, written) }
  const record = parseRecord(readFileSync(path))
  if (typeof record !== 'string') return { record }
  throw new ImgError('INPUT_INVALID', `${written} is no record: it ${record}`, {
    path: written,
    hint: 'make it with `img show LAYER --json`',
  })
}

async function newestElsewhere(remotes: Remotes, layer: string, written: string): Promise<Against> {
  const newest = await remotes.newest(layer, written === 'remote' ? undefined : written)
  if (newest !== undefined) {
    const { record, remote, namespace, signer } = newest
    return { record, from: { remote, namespace, signer } }
  }
  const where = written === 'remote' ? 'no remote has a build' : `${written} has no build`
  throw new ImgError('RECORD_MISSING', `${where} of ${layer} that can be believed`, {
    layer,
    hint: `\`img push ${layer}\` on a machine that has one sends it; \`img keys list\` says whose entries count`,
  })
}
