// Whose entries count, and as whom we write. Keys are never taken from the change that is being built: of a git
// repository they are read as its main branch has them.

import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { type PrivateKey, readPrivateKey } from '../../cache/trust/dsse.ts'
import {
  distrust,
  parseTrustedKeys,
  type TrustedKey,
  type TrustedKeys,
} from '../../cache/trust/trusted-keys.ts'
import type { RunContext } from '../context.ts'
import { ImgError } from '../errors.ts'
import { type ProgramResult, runProgram } from './process.ts'

export interface Trust {
  readonly keys: TrustedKeys
  /** Namespaces read, best first: `main`, then our own. */
  readonly reads: readonly string[]
  /** Absent: nothing is written. */
  readonly writes: { readonly key: PrivateKey; readonly namespace: string } | undefined
}

export const keysFile = 'keys.json'

/** Undefined when the project has no keys: then no remote is asked, since nothing it says could be believed. */
export async function readTrust(context: RunContext): Promise<Trust | undefined> {
  const text = await trustedText(context)
  if (text === undefined) return undefined
  const keys = pinned(parseTrustedKeys(text, keysFile), context.env)
  const own = readOwnKey(context, keys.project)
  const entry = own && keys.keys.find(({ id }) => id === own.id)
  const namespace = entry && writtenNamespace(entry, context)
  const reads = [...new Set(['main', ...(namespace === undefined ? [] : [namespace])])]
  return { keys, reads, writes: own && namespace !== undefined ? { key: own, namespace } : undefined }
}

/** `IMG_SIGNING_KEY` (PEM, or a file's name), else what `img keys create` left in the user's configuration. */
function readOwnKey(context: Pick<RunContext, 'env'>, project: string): PrivateKey | undefined {
  const given = context.env['IMG_SIGNING_KEY'] ?? ''
  if (given.includes('-----BEGIN')) return required(given, 'IMG_SIGNING_KEY')
  const file = given === '' ? ownKeyFile(context, project) : given
  const pem = readText(file)
  if (pem !== undefined) return required(pem, file)
  if (given === '') return undefined
  throw new ImgError('INPUT_MISSING', `cannot read the signing key ${file}`, {
    path: file,
    hint: 'set IMG_SIGNING_KEY to a file that is there, or to the key itself',
  })
}

export function ownKeyFile({ env }: Pick<RunContext, 'env'>, project: string): string {
  const base = env['XDG_CONFIG_HOME'] ?? ''
  return join(
    base.startsWith('/') ? base : join(env['HOME'] ?? homedir(), '.config'),
    'img/keys',
    `${project}.pem`,
  )
}

export const newProjectId = (): string => randomUUID()

function required(pem: string, where: string): PrivateKey {
  const key = readPrivateKey(pem)
  if (key !== undefined) return key
  throw new ImgError('INPUT_INVALID', `${where} is no ed25519 private key`, {
    hint: 'make one with `img keys create`',
    ...(where === 'IMG_SIGNING_KEY' ? {} : { path: where }),
  })
}

/** Ours is asked for (`IMG_NAMESPACE`), or the first that is not `main`, or, where CI says so, `main`. */
function writtenNamespace(entry: TrustedKey, { env, now }: RunContext): string | undefined {
  const asked = env['IMG_NAMESPACE'] ?? ''
  if (asked !== '') {
    const why = distrust(entry, asked, now())
    if (why === undefined) return asked
    throw new ImgError('OPTION_INVALID', `cannot write to ${asked}: ${why}`, {
      found: asked,
      validOptions: entry.namespaces,
      hint: `set IMG_NAMESPACE to one of ${entry.namespaces.join(', ')}, or change ${keysFile}`,
    })
  }
  const isCi = (env['CI'] ?? '') !== ''
  const choice = isCi ? entry.namespaces : entry.namespaces.filter((name) => name !== 'main')
  return choice.find((name) => distrust(entry, name, now()) === undefined)
}

/** `IMG_TRUST`: only keys with these fingerprints count. */
function pinned(keys: TrustedKeys, env: RunContext['env']): TrustedKeys {
  const text = env['IMG_TRUST'] ?? ''
  if (text === '') return keys
  const prints = text.split(',').map((print) => print.trim().replace(/^sha256:/, ''))
  const wrong = prints.find((print) => !/^[0-9a-f]{64}$/.test(print))
  if (wrong !== undefined) {
    throw new ImgError('OPTION_INVALID', `IMG_TRUST has ${JSON.stringify(wrong)}, which is no fingerprint`, {
      found: wrong,
      hint: 'fingerprints are 64 hexadecimal digits; `img keys list` shows them',
    })
  }
  return { ...keys, keys: keys.keys.filter(({ id }) => prints.includes(id)) }
}

/** With pinned fingerprints any copy of the file will do; without, that of the main branch, or of a folder outside git. */
async function trustedText(context: RunContext): Promise<string | undefined> {
  const file = join(context.root, keysFile)
  if ((context.env['IMG_TRUST'] ?? '') !== '' || !(await isInGit(context))) return readText(file)
  for (const branch of ['origin/HEAD', 'origin/main', 'origin/master', 'main', 'master']) {
    const { exitCode, stdout } = await git(['show', `${branch}:./${keysFile}`], context)
    if (exitCode === 0) return stdout
  }
  if (readText(file) === undefined) return undefined
  context.emit({
    event: 'warning',
    text: `${keysFile} is not on the main branch, so no remote is believed`,
    hint: `commit it there, or name the trusted fingerprints in IMG_TRUST`,
  })
  return undefined
}

async function isInGit(context: RunContext): Promise<boolean> {
  try {
    return (await git(['rev-parse', '--git-dir'], context)).exitCode === 0
  } catch {
    // Without git there is no repository we could ask.
    return false
  }
}

/** With the user's configuration: it says whose repositories may be read. */
function git(args: readonly string[], { root, env, signal }: RunContext): Promise<ProgramResult> {
  const home = env['HOME']
  return runProgram(['git', '-C', root, ...args], { signal, env: home === undefined ? {} : { HOME: home } })
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
