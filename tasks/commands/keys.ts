import { generateKeyPairSync } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { readPublicKey, renderPublicKey } from '../../cache/trust/dsse.ts'
import {
  distrust,
  isNamespace,
  parseTrustedKeys,
  renderTrustedKeys,
  type TrustedKey,
  type TrustedKeys,
} from '../../cache/trust/trusted-keys.ts'
import type { RunContext } from '../context.ts'
import { ImgError } from '../errors.ts'
import { formatTable } from '../reporters/format.ts'
import { suggestHint } from '../plan/suggest.ts'
import { keysFile, newProjectId, ownKeyFile } from '../run/trust.ts'
import type { Call, Command } from './command.ts'

export const keysCreate: Command = {
  name: 'keys create',
  summary: 'make a signing key, and put its public half into keys.json',
  arguments: '<name>',
  options: [
    { flags: '--namespace <name>', description: 'what it may write; dev/<name> unless told' },
    { flags: '--not-after <day>', description: 'from when on it counts for nothing, as 2027-01-31' },
    { flags: '-o, --output <file>', description: 'where the private key goes' },
  ],
  example: 'img keys create ci --namespace main --output ci.pem',
  run: async (call, context) => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519')
    const keys = readKeys(context) ?? { project: newProjectId(), keys: [] }
    const { output } = call.options
    const file = typeof output === 'string' ? resolve(call.cwd, output) : ownKeyFile(context, keys.project)
    if (existsSync(file)) {
      throw new ImgError('USAGE', `${file} is there already`, {
        path: file,
        hint: 'a key is never overwritten: move it away, or name another file with --output',
      })
    }
    const next = withKey(keys, call, renderPublicKey(publicKey))
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' })
    writeFileSync(file, pem, { mode: 0o600, flag: 'wx' })
    writeKeys(context, next)
    const made = next.keys.at(-1)!
    call.print(
      call.json
        ? { file, key: toJson(made, context) }
        : `${made.name}: ${made.id}\nprivate key ${file}: keep it secret, give it to a build as IMG_SIGNING_KEY\n` +
            `${keysFile} names it for ${made.namespaces.join(', ')}; it counts once that is on the main branch\n`,
    )
    return 0
  },
}

export const keysTrust: Command = {
  name: 'keys trust',
  summary: "put somebody's public key into keys.json",
  arguments: '<name> <public-key>',
  options: [
    { flags: '--namespace <name>', description: 'what it may write; dev/<name> unless told' },
    { flags: '--not-after <day>', description: 'from when on it counts for nothing, as 2027-01-31' },
  ],
  example: 'img keys trust alice MCowBQYDK2VwAyEA… --not-after 2027-01-31',
  run: async (call, context) => {
    const [, key = ''] = call.args
    if (readPublicKey(key) === undefined) {
      throw new ImgError('USAGE', `${JSON.stringify(key)} is no ed25519 public key`, {
        found: key,
        hint: 'copy the field "public" from the keys.json of whoever made it',
      })
    }
    const next = withKey(readKeys(context) ?? { project: newProjectId(), keys: [] }, call, key)
    writeKeys(context, next)
    const added = next.keys.at(-1)!
    call.print(
      call.json
        ? toJson(added, context)
        : `${keysFile}: ${added.name} may write ${added.namespaces.join(', ')}\n`,
    )
    return 0
  },
}

export const keysRevoke: Command = {
  name: 'keys revoke',
  summary: 'make a key count for nothing, and all it signed',
  arguments: '<name>',
  options: [],
  example: 'img keys revoke alice',
  run: async (call, context) => {
    const [name = ''] = call.args
    const keys = requiredKeys(context)
    const names = keys.keys.map((key) => key.name)
    if (!names.includes(name)) {
      throw new ImgError('USAGE', `${keysFile} has no key ${name}`, {
        found: name,
        validOptions: names,
        hint: suggestHint(name, names, 'keys'),
      })
    }
    const changed = keys.keys.map((key) => (key.name === name ? { ...key, revoked: true } : key))
    writeKeys(context, { ...keys, keys: changed })
    const told = `${keysFile}: ${name} is revoked; commit it to the main branch\n`
    call.print(
      call.json
        ? toJson(
            changed.find((key) => key.name === name)!,
            context,
          )
        : told,
    )
    return 0
  },
}

export const keysList: Command = {
  name: 'keys list',
  summary: 'say who may write which namespace',
  arguments: '',
  options: [],
  example: 'img keys list',
  run: async (call, context) => {
    const { project, keys } = requiredKeys(context)
    const rows = keys.map((key) => [key.name, key.namespaces.join(', '), stateOf(key, context.now()), key.id])
    call.print(call.json ? { project, keys: keys.map((key) => toJson(key, context)) } : formatTable(rows))
    return 0
  },
}

function withKey(keys: TrustedKeys, call: Call, text: string): TrustedKeys {
  const [name = ''] = call.args
  const { namespace = `dev/${name.toLowerCase()}`, notAfter } = call.options
  if (!isNamespace(namespace)) {
    throw new ImgError('USAGE', `${JSON.stringify(namespace)} is no namespace`, {
      found: String(namespace),
      hint: 'for example --namespace main or --namespace dev/alice',
    })
  }
  const entry = {
    name,
    public: text,
    namespaces: [namespace],
    ...(notAfter === undefined ? {} : { notAfter }),
  }
  // The file as it will be, checked as it will be read.
  const document = JSON.parse(renderTrustedKeys(keys)) as { keys: unknown[] }
  document.keys.push(entry)
  return parseTrustedKeys(JSON.stringify(document), keysFile)
}

function requiredKeys(context: RunContext): TrustedKeys {
  const keys = readKeys(context)
  if (keys !== undefined) return keys
  throw new ImgError('INPUT_MISSING', `there is no ${keysFile} in ${context.root}`, {
    path: keysFile,
    hint: 'make one with `img keys create NAME`',
  })
}

/** As it is in the folder: what is changed here counts only when it is on the main branch. */
function readKeys({ root }: RunContext): TrustedKeys | undefined {
  const file = join(root, keysFile)
  return existsSync(file) ? parseTrustedKeys(readFileSync(file, 'utf8'), keysFile) : undefined
}

function writeKeys({ root }: RunContext, keys: TrustedKeys): void {
  writeFileSync(join(root, keysFile), renderTrustedKeys(keys))
}

const stateOf = (key: TrustedKey, now: number): string => {
  if (key.revoked) return 'revoked'
  if (distrust(key, key.namespaces[0] ?? '', now) !== undefined) return 'ended'
  return key.notAfter === undefined ? 'valid' : `until ${new Date(key.notAfter).toISOString().slice(0, 10)}`
}

const toJson = (key: TrustedKey, { now }: RunContext): unknown => ({
  name: key.name,
  id: key.id,
  public: key.public,
  namespaces: key.namespaces,
  state: stateOf(key, now()),
})
