// The keys that decide which archive state is believed: IMG_KEYRING, else the distribution's own package on this host.

import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import type { RunContext } from '../context.ts'
import { ImgError } from '../errors.ts'
import type { Archive } from './apt-suites.ts'

/** Absolute path of a binary keyring; an armoured one is kept unwrapped in the cache, since gpgv reads no armour. */
export function findKeyring(archive: Archive, context: RunContext): string {
  const distribution = archive === 'ubuntu' ? 'ubuntu' : 'debian'
  const given = context.env['IMG_KEYRING']
  const path =
    given === undefined || given === '' ? `/usr/share/keyrings/${distribution}-archive-keyring.gpg` : given
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (cause) {
    if (path === given) {
      throw new ImgError('OPTION_INVALID', `IMG_KEYRING names a file that cannot be read: ${path}`, {
        hint: 'set it to a keyring made with `gpg --export`, by absolute path',
        cause,
      })
    }
    throw new ImgError('TOOL_MISSING', `the keys of the ${distribution} archive are missing: ${path}`, {
      hint: `run \`apt-get install ${keyringPackages[distribution]}\`, or set IMG_KEYRING to a keyring file`,
      cause,
    })
  }
  return bytes.subarray(0, 5).toString('latin1') === '-----' ? unwrapped(bytes, path, context) : path
}

const keyringPackages = { debian: 'debian-archive-keyring', ubuntu: 'ubuntu-keyring' } as const

function unwrapped(armoured: Buffer, path: string, context: RunContext): string {
  const blocks = armoured
    .toString('latin1')
    .matchAll(
      /-----BEGIN PGP PUBLIC KEY BLOCK-----\r?\n(?:[^\n]+\n)*?\r?\n([\s\S]*?)(?:\n=[\w+/]{4})?\s*-----END/g,
    )
  const bytes = Buffer.concat([...blocks].map((block) => Buffer.from(block[1] ?? '', 'base64')))
  if (bytes.length === 0) {
    throw new ImgError('OPTION_INVALID', `IMG_KEYRING is not a keyring: ${path}`, {
      hint: 'set it to a keyring made with `gpg --export`, by absolute path',
    })
  }
  const folder = `${context.cacheDir}/mirror/keyrings`
  const kept = `${folder}/${createHash('sha256').update(bytes).digest('hex')}.gpg`
  mkdirSync(folder, { recursive: true })
  writeFileSync(`${kept}.new`, bytes)
  renameSync(`${kept}.new`, kept)
  return kept
}
