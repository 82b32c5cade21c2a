import { execFileSync } from 'node:child_process'
import { lstatSync, mkdirSync, readFileSync, readlinkSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { listFiles } from '../../../tasks/run/input-files.ts'
import { openStatCache } from '../../../tasks/run/stat-cache.ts'
import { stageFiles } from '../../../tasks/run/stage-files.ts'
import { tempFolder } from '../../rig/temp-folder.ts'

test('lays out what is in the key, whatever the umask', async () => {
  const root = tempFolder({ 'files/a/b/run*': '#!', 'files/c': 'c' })
  mkdirSync(join(root, 'files/empty/inner'), { recursive: true })
  symlinkSync('/etc/passwd', join(root, 'files/link'))
  execFileSync('chmod', ['0600', join(root, 'files/c')])
  const stats = openStatCache({ root, cacheDir: tempFolder(), now: Date.now })
  const { files } = await listFiles({ root, base: 'files', patterns: ['**'], stats })
  const to = join(tempFolder(), 'deep/staged')
  const umask = process.umask(0o077)
  try {
    await stageFiles(files, to)
  } finally {
    process.umask(umask)
  }
  expect(
    execFileSync('find', ['.', '-printf', '%p %y %m\n'], { cwd: to, encoding: 'utf8' })
      .split('\n')
      .toSorted(),
  ).toEqual([
    '',
    '. d 755',
    './a d 755',
    './a/b d 755',
    './a/b/run f 755',
    './c f 644',
    './empty d 755',
    './empty/inner d 755',
    './link l 777',
  ])
  expect(lstatSync(join(to, '..')).mode & 0o777).toBe(0o755)
  expect(readFileSync(join(to, 'a/b/run'), 'utf8')).toBe('#!')
  expect(readlinkSync(join(to, 'link'))).toBe('/etc/passwd')
})
