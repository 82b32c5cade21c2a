import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openWorkspace, removeAbandoned } from '../../../tasks/run/workspace.ts'
import { tempFolder } from '../../rig/temp-folder.ts'

test('a workspace is private, and gone with its lock', async () => {
  const cacheDir = tempFolder()
  const workspace = await openWorkspace(cacheDir)
  writeFileSync(join(workspace.path, 'file'), '')
  await workspace.remove()
  expect(readdirSync(join(cacheDir, 'work'))).toEqual([])
})

test('what a killed process left is removed, what a living one has is not', async () => {
  const cacheDir = tempFolder({
    'work/w-killed/deep/file': '',
    'work/w-killed.lock': '',
    'work/w-early.lock': '',
  })
  mkdirSync(join(cacheDir, 'work/w-unlocked'))
  const { path, ...workspace } = await openWorkspace(cacheDir)
  await removeAbandoned(cacheDir)
  expect(readdirSync(join(cacheDir, 'work')).map((name) => join(cacheDir, 'work', name))).toEqual([
    path,
    `${path}.lock`,
  ])
  await workspace.remove()
})
