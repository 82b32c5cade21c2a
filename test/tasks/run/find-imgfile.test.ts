import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { findImgfile, projectRoot } from '../../../tasks/run/find-imgfile.ts'
import { tempFolder } from '../../rig/temp-folder.ts'

test('is the nearest one upwards, TypeScript before JavaScript', () => {
  const root = tempFolder({ 'imgfile.mjs': '', 'imgfile.ts': '', 'a/imgfile.js': '' })
  mkdirSync(join(root, 'b/c'), { recursive: true })
  expect(findImgfile(join(root, 'b/c'))).toBe(join(root, 'imgfile.ts'))
  expect(findImgfile(join(root, 'a'))).toBe(join(root, 'a/imgfile.js'))
})

test("a project's root is its imgfile's folder, and the current one without an imgfile", () => {
  const root = tempFolder({ 'a/imgfile.ts': '', 'b/x': '' })
  expect(projectRoot(join(root, 'a'))).toBe(join(root, 'a'))
  expect(projectRoot(join(root, 'b'))).toBe(join(root, 'b'))
  expect(projectRoot(join(root, 'b'), '../a/other.ts')).toBe(join(root, 'a'))
})
