// Ubuntu's answers for its installer, subiquity, as cloud-init user data. The only file that reads YAML. Pure.

import { isMap, isScalar, LineCounter, parseDocument, type YAMLMap } from '../tasks/plan/yaml.ts'
import { suggest } from '../tasks/plan/suggest.ts'
import type { JsonValue } from '../tasks/plan/step.ts'
import type { Finding } from './finding.ts'
import { hashPattern } from './read-accounts.ts'

/** `text` is JSON, which is YAML: the value below `autoinstall` with its keys sorted. */
export function findAutoinstall(content: string): {
  readonly text: string
  readonly findings: readonly Finding[]
} {
  const lines = new LineCounter()
  const document = parseDocument(content.replace(/^\uFEFF/, ''), { lineCounter: lines })
  const findings: Finding[] = document.errors.map(({ message, pos }) => ({
    severity: 'error',
    line: lines.linePos(pos[0]).line,
    message: `the file is not YAML: ${message.split(/ at line |\n/)[0]}`,
    hint: 'correct the line; yamllint shows more',
  }))
  if (findings.length > 0) return { text: '', findings }
  const top = document.contents
  const own = isMap(top) && top.has('autoinstall') ? top.get('autoinstall', true) : top
  if (!isMap(own)) {
    const message = 'autoinstall holds no keys'
    return {
      text: '',
      findings: [{ severity: 'error', line: 0, message, hint: 'write autoinstall: and below it version: 1' }],
    }
  }
  const lineOf = (map: YAMLMap, key: string): number => {
    const pair = map.items.find((item) => isScalar(item.key) && item.key.value === key)
    const offset = isScalar(pair?.key) ? pair.key.range?.[0] : undefined
    return offset === undefined ? 0 : lines.linePos(offset).line
  }
  const value = own.toJSON() as Answers
  const error: Tell = (key, message, hint) => {
    findings.push({ severity: 'error', line: lineOf(own, key), message, hint })
  }
  findUnknown(value, error)
  findValues(value, error)
  if (isMap(top) && own !== top)
    findBeside(top.toJSON() as Answers, (key, message, hint) => {
      findings.push({ severity: 'error', line: lineOf(top, key), message, hint })
    })
  return { text: `${JSON.stringify(sorted(value))}\n`, findings }
}

type Answers = Readonly<Record<string, JsonValue>>
type Tell = (key: string, message: string, hint: string) => void

function findUnknown(value: Answers, error: Tell): void {
  for (const key of Object.keys(value)) {
    if (keys.includes(key)) continue
    const meant = suggest(key, keys)
    error(
      key,
      `autoinstall has no key "${key}"`,
      meant === undefined ? 'remove it' : `did you mean ${meant}?`,
    )
  }
}

function findValues(value: Answers, error: Tell): void {
  if (value['version'] !== 1) {
    error('version', `the version is ${JSON.stringify(value['version'] ?? null)}, not 1`, 'write version: 1')
  }
  const identity = objectOf(value['identity'])
  const users = objectOf(value['user-data'])
  if (identity === undefined && users === undefined) {
    error(
      'identity',
      'identity is missing, and the installer would stop to ask',
      'add identity, or user-data',
    )
  }
  for (const name of ['hostname', 'username', 'password'].filter((one) => identity?.[one] === undefined)) {
    if (identity !== undefined) error('identity', `identity has no ${name}`, `add ${name}`)
  }
  const password = identity?.['password']
  if (password !== undefined && !(typeof password === 'string' && hashPattern.test(password))) {
    error(
      'identity',
      'the password of identity is no crypt(3) hash',
      'write "!" to lock the account, or the output of: mkpasswd -m sha512crypt',
    )
  }
  for (const place of clearText(users ?? {})) {
    error('user-data', `user-data has a password in clear text (${place})`, 'use a hash, or an SSH key')
  }
  const interactive = value['interactive-sections']
  if (Array.isArray(interactive) && interactive.length > 0) {
    error('interactive-sections', 'interactive-sections make the installer stop to ask', 'remove the key')
  }
  const shutdown = value['shutdown']
  if (shutdown !== undefined && shutdown !== 'poweroff') {
    error(
      'shutdown',
      `shutdown is ${JSON.stringify(shutdown)}, and a build waits for the machine to power off`,
      'write shutdown: poweroff, or remove it',
    )
  }
  for (const key of ['early-commands', 'late-commands', 'error-commands', 'packages', 'snaps']) {
    if (value[key] !== undefined && !Array.isArray(value[key])) {
      error(key, `${key} is no list`, 'write each entry on a line of its own behind a dash')
    }
  }
}

/** What stands beside `autoinstall` configures the live system, not the installed one. */
function findBeside(value: Answers, error: Tell): void {
  for (const key of Object.keys(value)) {
    if (key === 'autoinstall') continue
    error(
      key,
      `${key} beside autoinstall is for the live system, and none of it reaches the image`,
      key === 'users' || key === 'chpasswd' ? 'put it below autoinstall: user-data:' : 'remove it',
    )
  }
}

function clearText(userData: Answers): readonly string[] {
  const places: string[] = []
  if (typeof userData['password'] === 'string' && !hashPattern.test(userData['password']))
    places.push('password')
  if (objectOf(userData['chpasswd'])?.['list'] !== undefined) places.push('chpasswd.list')
  const accounts = Array.isArray(userData['users']) ? userData['users'] : []
  for (const account of accounts) {
    if (objectOf(account)?.['plain_text_passwd'] !== undefined) places.push('users.plain_text_passwd')
  }
  return places
}

const objectOf = (value: JsonValue | undefined): Answers | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Answers) : undefined

/** As canonical JSON: the order of keys decides nothing. */
function sorted(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(sorted)
  const object = objectOf(value)
  if (object === undefined) return value
  const entries = Object.entries(object).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([name, inner]) => [name, sorted(inner)]))
}

/** From subiquity's documentation for 24.04. */
const keys =
  `version interactive-sections early-commands locale refresh-installer keyboard source network proxy apt
  storage identity active-directory ubuntu-pro ssh codecs drivers oem snaps debconf-selections packages kernel
  kernel-crash-dumps timezone updates shutdown late-commands error-commands reporting user-data zdevs`.split(
    /\s+/,
  )
