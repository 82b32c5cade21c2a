import { mkdirSync, mkdtempSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { directoryRemote } from '../../../cache/remotes/directory.ts'
import { blobName } from '../../../cache/remotes/remote.ts'
import { describeRemote, digestOf, reading, signal } from '../../contract/remote.ts'

const folder = (): string => {
  const path = mkdtempSync(join(tmpdir(), 'img-remote-'))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return path
}

describeRemote('directory', async () => directoryRemote(folder()))

test('leaves no temporary file behind', async () => {
  const path = folder()
  const data = Buffer.from('x')
  await directoryRemote(path).create(blobName(digestOf(data)), data, { signal })
  await directoryRemote(path).create(blobName(digestOf(data)), data, { signal })
  const files = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  expect(files.map(({ name }) => name)).toEqual([digestOf(data)])
})

test('takes away what somebody who was killed left a day ago', async () => {
  const path = folder()
  mkdirSync(join(path, 'tmp'))
  const [old, young] = ['old', 'young'].map((name) => join(path, 'tmp', name)) as [string, string]
  for (const file of [old, young]) writeFileSync(file, 'half')
  const yesterday = Date.now() / 1000 - 25 * 60 * 60
  utimesSync(old, yesterday, yesterday)
  const data = Buffer.from('x')
  await directoryRemote(path).create(blobName(digestOf(data)), data, { signal })
  expect(readdirSync(join(path, 'tmp'))).toEqual(['young'])
})

test('what is no folder cannot be written, and is said by name', async () => {
  const path = join(folder(), 'file')
  writeFileSync(path, '')
  const data = Buffer.from('x')
  const name = blobName(digestOf(data))
  expect(await directoryRemote(path).read(name, reading())).toBeUndefined()
  await expect(directoryRemote(path).create(name, data, { signal })).rejects.toMatchObject({
    fault: 'unreachable',
    message: `${path} is not there`,
  })
})
