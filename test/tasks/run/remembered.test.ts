import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Derived, recall, remember, type Question } from '../../../tasks/run/remembered.ts'

let folder: string
let question: Question
const later = (): number => Date.now() + 60_000

const answered = (derived: Partial<Derived>): void =>
  remember(question, { output: 'x', read: [], stored: [], absent: [], env: {}, now: later(), ...derived })
const recalled = (): string | undefined => recall(question, {})

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'img-remembered-'))
  question = {
    cacheDir: join(folder, 'cache'),
    cwd: folder,
    argv: ['build'],
    env: { IMG_ACCEL: undefined },
    version: '1',
  }
})
afterEach(() => rmSync(folder, { recursive: true }))

function inputFile(name = 'site.pp'): string {
  const path = join(folder, name)
  writeFileSync(path, 'content')
  return path
}

test('gives back the output while everything is as it was', () => {
  answered({ output: 'nothing to do', read: [inputFile()], absent: [join(folder, 'none')] })
  expect(recalled()).toBe('nothing to do')
})

test('knows nothing of another question', () => {
  answered({})
  expect(recall({ ...question, argv: ['build', 'role:a'] }, {})).toBeUndefined()
  expect(recall({ ...question, env: { IMG_ACCEL: 'tcg' } }, {})).toBeUndefined()
  expect(recall({ ...question, version: '2' }, {})).toBeUndefined()
})

test('a variable the imgfile reads is part of the answer, also when it was not set', () => {
  answered({ env: { SITE: 'oslo', STAGE: undefined } })
  expect(recall(question, { SITE: 'oslo' })).toBe('x')
  expect(recall(question, { SITE: 'bergen' })).toBeUndefined()
  expect(recall(question, { SITE: 'oslo', STAGE: '' })).toBeUndefined()
})

test('a file with other bytes of the same size and the same mtime is a change', () => {
  const path = inputFile()
  utimesSync(path, 1000, 1000)
  answered({ read: [path] })
  writeFileSync(path, 'CONTENT')
  utimesSync(path, 1000, 1000)
  expect(recalled()).toBeUndefined()
})

test('a removed file and an appeared one are changes', () => {
  const path = inputFile()
  answered({ read: [path] })
  rmSync(path)
  expect(recalled()).toBeUndefined()
  answered({ absent: [path] })
  expect(recalled()).toBe('x')
  inputFile()
  expect(recalled()).toBeUndefined()
})

test('does not remember what rests on a file written a moment ago, unless such files never change', () => {
  answered({ read: [inputFile()], now: Date.now() })
  expect(recalled()).toBeUndefined()
  answered({ stored: [inputFile()], now: Date.now() })
  expect(recalled()).toBe('x')
})

test('a damaged answer is no answer', () => {
  answered({})
  const [name] = readdirSync(join(question.cacheDir, 'remembered'))
  writeFileSync(join(question.cacheDir, 'remembered', name ?? ''), '{"question":')
  expect(recalled()).toBeUndefined()
})

test('keys, passwords and secrets are written nowhere', () => {
  const secrets = {
    IMG_SIGNING_KEY: 'hidden-1',
    IMG_REMOTE_TOKEN: 'hidden-2',
    IMG_REMOTE_PASSWORD: 'hidden-3',
    IMG_SECRET_ROOT: 'hidden-4',
  }
  question = { ...question, env: { ...secrets, IMG_REMOTES: 'file:///srv/img' } }
  answered({})
  const files = readdirSync(join(folder, 'cache/remembered'))
  const text = files.map((name) => readFileSync(join(folder, 'cache/remembered', name), 'utf8')).join('')
  expect(text).toContain('file:///srv/img')
  expect(text).not.toContain('hidden')
  expect(recalled()).toBe('x')
})
