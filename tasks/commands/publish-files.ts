// Targets that are files for whoever fetches them: what machines without a disk boot from, disks of every format.

import { resolve } from 'node:path'
import { publishFiles as placeFiles } from '../../cache/destinations/publish-files.ts'
import type { SigningKey } from '../../cache/repository/gpg-keys.ts'
import type { RunContext } from '../context.ts'
import { keepOf, type Publisher, withFiles } from './publisher.ts'

export const publishFiles: Publisher = async ({ layers: [layer = ''], disks, call, to }, context) => {
  const key = await resolveKey(call.options['gpgKey'], context)
  const options = { dir: resolve(call.cwd, to), layer, key, keep: keepOf(call) }
  const published = await withFiles({ disks, layer }, context, (files) => placeFiles(files, options, context))
  const { status, release, signed = 'nobody', removed } = published
  const gone =
    removed.length === 0 ? '' : `, ${removed.length} old ${removed.length === 1 ? 'file' : 'files'} removed`
  call.print(
    call.json
      ? { to, published: [{ layer, ...published }] }
      : `${layer}  release ${release}  ${status}  signed by ${signed}${gone}\n`,
  )
}

async function resolveKey(gpgKey: unknown, context: RunContext): Promise<SigningKey | undefined> {
  if (typeof gpgKey !== 'string') return undefined
  const { requireTools } = await import('../run/tools.ts')
  await requireTools(['gpg', 'setpriv', 'unshare', 'mount'], context)
  const { resolveSigningKey } = await import('../../cache/repository/gpg-keys.ts')
  return resolveSigningKey(gpgKey, context)
}
