// Keys of gpg. The user's keyring is only read, and no agent of theirs is started.

import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RunContext } from '../../tasks/context.ts'
import { ImgError } from '../../tasks/errors.ts'
import { inFolder } from './in-folder.ts'
import { isFile, lastLines, runGpg } from './run-gpg.ts'

export interface PublicKey {
  /** Of the primary key, forty upper-case hex digits. */
  readonly fingerprint: string
  /** As `gpg --export` gives it. */
  readonly bytes: Buffer
}

export interface SigningKey extends PublicKey {
  /** What gpg is told to sign with: the primary key, or one subkey and no other. */
  readonly user: string
  /** Files of the private keys. */
  readonly secrets: readonly string[]
}

/** The key of a full fingerprint, primary or subkey, in the user's keyring. */
export async function resolveSigningKey(fingerprint: string, context: RunContext): Promise<SigningKey> {
  const home = gnupgHome(context)
  const wanted = checkFingerprint(fingerprint)
  const { bytes, keys } = await exportKey(wanted, home)
  const [primary] = keys
  const chosen = keys.filter(
    (key) => key.signs && (wanted === primary?.fingerprint || key.fingerprint === wanted),
  )
  const secrets: string[] = []
  for (const { grip } of chosen) {
    const path = join(home, 'private-keys-v1.d', `${grip}.key`)
    if (await isFile(path)) secrets.push(path)
  }
  if (primary === undefined || secrets.length === 0) {
    throw new ImgError('SIGNING_FAILED', `there is no private key to sign with for ${wanted} in ${home}`, {
      hint: 'import it with `gpg --import`, or name the folder it is in by GNUPGHOME',
      found: wanted,
    })
  }
  const user = wanted === primary.fingerprint ? wanted : `${wanted}!`
  return { fingerprint: primary.fingerprint, bytes, user, secrets }
}

/** The key a client pins, from the user's keyring. */
export async function resolvePublicKey(fingerprint: string, context: RunContext): Promise<PublicKey> {
  const { bytes, keys } = await exportKey(checkFingerprint(fingerprint), gnupgHome(context))
  return { bytes, fingerprint: keys[0]?.fingerprint ?? '' }
}

/** The only key in a file, armoured or not. */
export async function readPublicKey(path: string, file: Buffer): Promise<PublicKey> {
  return inFolder(async (folder) => {
    await writeFile(join(folder, 'key'), file)
    const isArmoured = file.subarray(0, 5).toString('latin1') === '-----'
    const dearmoured = isArmoured
      ? await runGpg(folder, ['--output', 'key.gpg', '--dearmor', 'key'])
      : undefined
    const name = isArmoured ? 'key.gpg' : 'key'
    const shown = await runGpg(folder, ['--with-colons', '--show-keys', name])
    const primaries = parseKeys(shown.stdout).filter((key) => key.primary)
    const [primary] = primaries
    if (primary === undefined || primaries.length > 1 || (dearmoured?.exitCode ?? 0) !== 0) {
      throw new ImgError(
        'SIGNATURE_INVALID',
        `${path} holds ${primaries.length} public keys instead of one`,
        {
          path,
          hint: 'write one with `gpg --export FINGERPRINT`',
          output: lastLines(shown.stderr),
        },
      )
    }
    return { fingerprint: primary.fingerprint, bytes: await readFile(join(folder, name)) }
  })
}

interface Key {
  readonly primary: boolean
  readonly fingerprint: string
  readonly grip: string
  readonly signs: boolean
}

function gnupgHome({ env }: RunContext): string {
  return env['GNUPGHOME'] ?? join(env['HOME'] ?? '/', '.gnupg')
}

/** A short id can be made to fit another key. */
function checkFingerprint(text: string): string {
  const digits = text.replaceAll(/[ :]/g, '').replace(/^0x/i, '').toUpperCase()
  if (/^[0-9A-F]{40}$/.test(digits)) return digits
  throw new ImgError('USAGE', `${text} is not the fingerprint of a key`, {
    hint: 'give all forty digits, as `gpg --list-keys` prints them',
    found: text,
    wanted: '40 hex digits',
  })
}

async function exportKey(
  fingerprint: string,
  home: string,
): Promise<{ readonly bytes: Buffer; readonly keys: readonly Key[] }> {
  return inFolder(async (folder) => {
    const from = ['--homedir', home, '--no-autostart', '--no-auto-check-trustdb']
    const exported = await runGpg(folder, [...from, '--output', 'key', '--export', fingerprint])
    if (!(await isFile(join(folder, 'key')))) {
      throw new ImgError('SIGNING_FAILED', `there is no key ${fingerprint} in ${home}`, {
        hint: 'import it with `gpg --import`, or name the folder it is in by GNUPGHOME',
        found: fingerprint,
        output: lastLines(exported.stderr),
      })
    }
    const listed = await runGpg(folder, ['--with-colons', '--with-keygrip', '--show-keys', 'key'])
    return { bytes: await readFile(join(folder, 'key')), keys: parseKeys(listed.stdout) }
  })
}

/** `pub` or `sub`, then its `fpr` and `grp`; the twelfth field's small letters are what the key itself may do. */
function parseKeys(colons: string): readonly Key[] {
  const keys: { primary: boolean; fingerprint: string; grip: string; signs: boolean }[] = []
  for (const line of colons.split('\n')) {
    const fields = line.split(':')
    const last = keys.at(-1)
    if (fields[0] === 'pub' || fields[0] === 'sub') {
      const signs = (fields[11] ?? '').includes('s')
      keys.push({ primary: fields[0] === 'pub', fingerprint: '', grip: '', signs })
    } else if (fields[0] === 'fpr' && last?.fingerprint === '') last.fingerprint = fields[9] ?? ''
    else if (fields[0] === 'grp' && last?.grip === '') last.grip = fields[9] ?? ''
  }
  return keys
}
