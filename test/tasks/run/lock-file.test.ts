import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ImgError } from '../../../tasks/errors.ts'
import { readLockFile, writeLockFile, type LockContent } from '../../../tasks/run/lock-file.ts'
import { makeFolder } from '../../rig/fake-archive.ts'

let folder: ReturnType<typeof makeFolder>
let path: string
beforeEach(() => {
  folder = makeFolder()
  path = join(folder.path, 'imgfile.lock')
})
afterEach(() => folder.remove())

const inRelease = 'ab'.repeat(32)
const content: LockContent = {
  version: 1,
  apt: {
    debian: {
      trixie: { inRelease, indexes: { b: inRelease, a: inRelease }, date: '2026-09-12T07:55:41Z' },
      bookworm: { inRelease, indexes: {}, date: '2026-07-11T10:16:37Z' },
    },
  },
}

test('what is written is read again, sorted', () => {
  writeLockFile(path, content)
  expect(readLockFile(path)).toEqual(content)
  expect(readFileSync(path, 'utf8')).toBe(`{
  "apt": {
    "debian": {
      "bookworm": {
        "date": "2026-07-11T10:16:37Z",
        "inRelease": "${inRelease}",
        "indexes": {}
      },
      "trixie": {
        "date": "2026-09-12T07:55:41Z",
        "inRelease": "${inRelease}",
        "indexes": {
          "a": "${inRelease}",
          "b": "${inRelease}"
        }
      }
    }
  },
  "version": 1
}
`)
  expect(readdirSync(folder.path)).toEqual(['imgfile.lock', 'project'])
})

test('no file is an empty lock', () => {
  expect(readLockFile(path)).toEqual({ version: 1, apt: {} })
  expect(existsSync(path)).toBe(false)
})

test('what another release added survives', () => {
  writeFileSync(path, '{ "version": 1, "apt": {}, "more": { "x": 1 } }')
  writeLockFile(path, readLockFile(path))
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ version: 1, apt: {}, more: { x: 1 } })
})

test.each([
  {
    name: 'a merge conflict, found by line',
    text: '{\n"apt": {\n<<<<<<< HEAD\n',
    message: 'imgfile.lock is not JSON',
    fields: { line: 3, hint: 'take either side of the merge conflict, then run `img update`' },
  },
  {
    name: 'half a file',
    text: '{ "version": 1, ',
    message: 'imgfile.lock is not JSON',
    fields: { hint: 'restore it from version control, or remove it to pin the present state' },
  },
  {
    name: 'a version of the future',
    text: '{ "version": 2 }',
    message: 'imgfile.lock has version 2',
    fields: {
      wanted: '1',
      found: '2',
      hint: 'use the release of img that wrote it, or remove the file to pin the present state',
    },
  },
])('$name', ({ text, message, fields }) => {
  writeFileSync(path, text)
  const { code, message: said, fields: given } = failureOf(() => readLockFile(path))
  expect([code, said]).toEqual(['INPUT_INVALID', message])
  expect({ ...given, cause: undefined }).toEqual({ path: 'imgfile.lock', ...fields, cause: undefined })
})

test.each([
  '[]',
  'null',
  '7',
  '{ "version": "1", "apt": {} }',
  '{ "version": 1 }',
  '{ "version": 1, "apt": [] }',
  '{ "version": 1, "apt": { "debian": { "trixie": null } } }',
  '{ "version": 1, "apt": { "debian": { "trixie": { "inRelease": "x", "date": "2026-09-12", "indexes": {} } } } }',
  `{ "version": 1, "apt": { "debian": { "trixie": { "inRelease": "${inRelease}", "date": "", "indexes": {} } } } }`,
  `{ "version": 1, "apt": { "debian": { "trixie": { "inRelease": "${inRelease}", "date": "2026-09-12" } } } }`,
])('%s is no lock', (text) => {
  writeFileSync(path, text)
  const { code, message, fields } = failureOf(() => readLockFile(path))
  expect([code, message]).toEqual(['INPUT_INVALID', 'imgfile.lock is JSON, but not the lock of a project'])
  expect(fields).toEqual({
    path: 'imgfile.lock',
    hint: 'restore it from version control, or remove it to pin the present state',
  })
})

test('a folder that cannot be written to', () => {
  expect(() => writeLockFile('/proc/imgfile.lock', content)).toThrow(
    expect.objectContaining({
      code: 'PERMISSION',
      message: 'cannot write imgfile.lock',
      fields: expect.objectContaining({
        path: 'imgfile.lock',
        hint: 'make the folder of the imgfile writable, or commit imgfile.lock and use --frozen',
      }),
    }),
  )
})

function failureOf(action: () => unknown): ImgError {
  try {
    action()
  } catch (error) {
    if (error instanceof ImgError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

test('a file that cannot be read', () => {
  mkdirSync(path)
  expect(failureOf(() => readLockFile(path))).toMatchObject({
    code: 'PERMISSION',
    message: 'cannot read imgfile.lock',
    fields: { path: 'imgfile.lock', hint: 'make it readable for this user' },
  })
})
