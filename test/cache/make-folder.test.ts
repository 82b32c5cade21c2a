import { statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makeFolder } from '../../cache/make-folder.ts'
import { tempFolder } from '../rig/temp-folder.ts'

test('a folder is made with those above it, and the outermost new one is told', () => {
  const folder = tempFolder()
  const path = join(folder, 'a', 'b', 'c')
  expect(makeFolder(path)).toBe(join(folder, 'a'))
  expect(statSync(path).isDirectory()).toBe(true)
  expect(makeFolder(path)).toBeUndefined()
  expect(makeFolder(join(path, 'd'))).toBe(join(path, 'd'))
})

test('what is in the way is told as it is', () => {
  const file = join(tempFolder({ file: '' }), 'file')
  expect(() => makeFolder(join(file, 'below', 'it'))).toThrow(/^ENOTDIR/)
})
