import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { type FolderWatch, watchFolders } from '../../../tasks/run/watch-folders.ts'
import { tempFolder } from '../../rig/temp-folder.ts'

interface Watched {
  readonly folders: FolderWatch
  /** Resolves when a change of the path was told after it was asked for. */
  readonly told: (path: string) => Promise<void>
}

function startWatching(): Watched {
  const waiting = new Map<string, () => void>()
  const folders = watchFolders({
    poll: false,
    emit: () => undefined,
    onChange: (path) => waiting.get(path)?.(),
  })
  onTestFinished(() => folders.close())
  return {
    folders,
    told: (path) => new Promise((resolve) => waiting.set(path, resolve)),
  }
}

test('a folder that was made anew is watched anew, also when it got the number of the old one', async () => {
  const root = tempFolder()
  const folder = join(root, 'manifests')
  mkdirSync(folder)
  const { folders, told } = startWatching()
  expect(await folders.follow([folder])).toBe(true)
  expect(await folders.follow([folder])).toBe(false)
  rmdirSync(folder)
  mkdirSync(folder)
  expect(await folders.follow([folder])).toBe(true)
  const seen = told(join(folder, 'init.pp'))
  writeFileSync(join(folder, 'init.pp'), 'class a {}\n')
  await seen
})

test('what a change happens in does not make a folder another one', async () => {
  const root = tempFolder()
  const { folders } = startWatching()
  expect(await folders.follow([root])).toBe(true)
  writeFileSync(join(root, 'new'), '')
  expect(await folders.follow([root])).toBe(false)
})

test('for a folder that is not there, the nearest above it tells when it comes', async () => {
  const root = tempFolder()
  const { folders, told } = startWatching()
  expect(await folders.follow([join(root, 'a', 'b', 'c.pp')])).toBe(true)
  expect(folders.count()).toBe(1)
  const seen = told(join(root, 'a'))
  mkdirSync(join(root, 'a'))
  await seen
  expect(await folders.follow([join(root, 'a', 'b', 'c.pp')])).toBe(true)
})
