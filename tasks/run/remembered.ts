// The answer of a build in which nothing had to be done, valid as long as every file it was derived from has the
// same stat. Imports nothing but node:fs: this module and cli.ts are all a repeated build loads.

import { lstatSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'

/** What one invocation was: equal questions may share an answer. Everything here is compared, nothing hashed away. */
export interface Question {
  readonly cacheDir: string
  readonly cwd: string
  readonly argv: readonly string[]
  /** Every variable that can change the answer. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Of img and Node. */
  readonly version: string
}

/** `path`, then size, mtimeNs, ctimeNs, ino, mode; or `path` alone for one that must not exist. */
type Stamp = readonly [path: string, stamp?: string]

interface Answer {
  readonly question: string
  /** Variables the imgfile reads; null for one that was not set. */
  readonly env: Readonly<Record<string, string | null>>
  readonly output: string
  readonly stamps: readonly Stamp[]
}

/** The remembered output, or undefined when anything it rests on is not exactly as it was. */
export function recall(
  question: Question,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  let answer: Answer
  try {
    answer = JSON.parse(readFileSync(answerPath(question), 'utf8')) as Answer
  } catch {
    return undefined
  }
  if (answer.question !== questionText(question)) return undefined
  for (const [name, value] of Object.entries(answer.env)) if ((env[name] ?? null) !== value) return undefined
  for (const [path, stamp] of answer.stamps) if (stampOf(path) !== stamp) return undefined
  return answer.output
}

export interface Derived {
  readonly output: string
  /** All files and folders it was derived from. One changed so recently that an equal stamp proves nothing is refused. */
  readonly read: Iterable<string>
  /** The same of files that never change. */
  readonly stored: Iterable<string>
  /** Paths whose appearance would change it. */
  readonly absent: Iterable<string>
  readonly env: Readonly<Record<string, string | undefined>>
  readonly now: number
}

/** Keeps the output as the answer, if everything it rests on can be told by its stat. */
export function remember(question: Question, derived: Derived): void {
  const read = stampsOf(derived.read)
  const stored = stampsOf(derived.stored)
  if (read === undefined || stored === undefined) return
  if (read.some(([, stamp]) => isRacy(stamp, derived.now))) return
  const absent = [...derived.absent].map((path): Stamp => [path])
  const env = Object.entries(derived.env).map(([name, value]) => [name, value ?? null] as const)
  const answer: Answer = {
    question: questionText(question),
    env: Object.fromEntries(env),
    output: derived.output,
    stamps: [...read, ...stored, ...absent],
  }
  const path = answerPath(question)
  mkdirSync(`${question.cacheDir}/remembered`, { recursive: true })
  writeFileSync(`${path}.new`, JSON.stringify(answer))
  renameSync(`${path}.new`, path)
}

function stampsOf(paths: Iterable<string>): readonly (readonly [string, string])[] | undefined {
  const stamps: (readonly [string, string])[] = []
  for (const path of paths) {
    const stamp = stampOf(path)
    if (stamp === undefined) return undefined
    stamps.push([path, stamp])
  }
  return stamps
}

function stampOf(path: string): string | undefined {
  const s = lstatSync(path, { bigint: true, throwIfNoEntry: false })
  return s === undefined ? undefined : `${s.size} ${s.mtimeNs} ${s.ctimeNs} ${s.ino} ${s.mode}`
}

/** Two writes within one tick of the filesystem's clock leave the same times; two seconds covers every filesystem. */
function isRacy(stamp: string, now: number): boolean {
  const [, , ctimeNs] = stamp.split(' ')
  return Number(BigInt(ctimeNs ?? '0') / 1_000_000n) > now - 2000
}

function questionText({ version, cwd, argv, env }: Question): string {
  return JSON.stringify([version, cwd, argv, Object.entries(env).filter(([name]) => !secretNames.test(name))])
}

/** What they hold decides nothing about a build that has nothing to do, and this text is kept in a file. */
const secretNames = /_KEY$|TOKEN|PASSWORD|SECRET/

/** A weak hash is enough for a file name, since the whole question is compared; node:crypto costs start-up time. */
function answerPath(question: Question): string {
  let hash = 0xcbf29ce484222325n
  for (const char of questionText(question))
    hash = ((hash ^ BigInt(char.codePointAt(0) ?? 0)) * 0x100000001b3n) & 0xffffffffffffffffn
  return `${question.cacheDir}/remembered/${hash.toString(16)}.json`
}
