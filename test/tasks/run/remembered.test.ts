import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { recall, remember, type Question } from '../../../tasks/run/remembered.ts'

let folder: string
let question: Question
const later = (): number => Date.now() + 60_000

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
  remember(question, {
    output: 'nothing to do',
    files: [inputFile()],
    absent: [join(folder, 'none')],
    now: later(),
  })
  expect(recall(question)).toBe('nothing to do')
})

test('knows nothing of another question', () => {
  remember(question, { output: 'x', files: [], absent: [], now: later() })
  expect(recall({ ...question, argv: ['build', 'role:a'] })).toBeUndefined()
  expect(recall({ ...question, env: { IMG_ACCEL: 'tcg' } })).toBeUndefined()
  expect(recall({ ...question, version: '2' })).toBeUndefined()
})

test('a file with other bytes of the same size and the same mtime is a change', () => {
  const path = inputFile()
  utimesSync(path, 1000, 1000)
  remember(question, { output: 'x', files: [path], absent: [], now: later() })
  writeFileSync(path, 'CONTENT')
  utimesSync(path, 1000, 1000)
  expect(recall(question)).toBeUndefined()
})

test('a removed file and an appeared one are changes', () => {
  const path = inputFile()
  remember(question, { output: 'x', files: [path], absent: [], now: later() })
  rmSync(path)
  expect(recall(question)).toBeUndefined()
  remember(question, { output: 'x', files: [], absent: [path], now: later() })
  expect(recall(question)).toBe('x')
  inputFile()
  expect(recall(question)).toBeUndefined()
})

test('does not remember what rests on a file written a moment ago', () => {
  remember(question, { output: 'x', files: [inputFile()], absent: [], now: Date.now() })
  expect(recall(question)).toBeUndefined()
})

test('a damaged answer is no answer', () => {
  remember(question, { output: 'x', files: [], absent: [], now: later() })
  const [name] = readdirSync(join(question.cacheDir, 'remembered'))
  writeFileSync(join(question.cacheDir, 'remembered', name ?? ''), '{"question":')
  expect(recall(question)).toBeUndefined()
})
