import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ImgError } from '../../../tasks/errors.ts'
import { resolveInput } from '../../../tasks/run/inputs.ts'
import { listFiles } from '../../../tasks/run/input-files.ts'
import { openStatCache } from '../../../tasks/run/stat-cache.ts'
import { tempFolder } from '../../rig/temp-folder.ts'

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

describe('the list', () => {
  test('leaves out what goes while it is made', async () => {
    const root = tempFolder({ 'files/a': 'a', 'files/.a.swp': 'swap', 'files/b': 'b' })
    const stats = openStatCache({ cacheDir: join(root, 'cache'), root, now: Date.now })
    const digest = async (path: string): Promise<string> => {
      rmSync(join(root, 'files/.a.swp'), { force: true })
      return stats.digest(path)
    }
    const wanted = { root, base: 'files', patterns: ['**'], stats: { ...stats, digest } }
    const { files } = await listFiles(wanted)
    expect(files.map(({ path }) => path)).toEqual(['a', 'b'])
  })

  test('has dot files, links as links, empty folders and the executable bit, sorted by bytes', async () => {
    const root = tempFolder({
      'files/.hidden': 'h',
      'files/Z': 'Z',
      'files/a/run*': '#!',
      'files/a/b/deep': 'd',
      'files/é': 'e',
      'files/\u{1f600}': 'smile',
      'files/\uff5e': 'wide',
      'files/.git/HEAD': 'ref',
      'files/a/.git': 'gitdir',
    })
    mkdirSync(join(root, 'files/empty/inner'), { recursive: true })
    symlinkSync('../nowhere', join(root, 'files/link'))
    expect(await listed(root, ['**'])).toEqual([
      ['.hidden', '0644', sha256('h')],
      ['Z', '0644', sha256('Z')],
      ['a/b/deep', '0644', sha256('d')],
      ['a/run', '0755', sha256('#!')],
      ['empty/inner', 'dir', sha256('')],
      ['link', 'link', sha256('../nowhere')],
      ['é', '0644', sha256('e')],
      ['\uff5e', '0644', sha256('wide')],
      ['\u{1f600}', '0644', sha256('smile')],
    ])
  })

  test('does not depend on the umask a checkout was made with', async () => {
    const root = tempFolder({ 'files/a': 'a', 'files/run*': 'r' })
    const before = await digestOf(root)
    chmodSync(join(root, 'files/a'), 0o600)
    chmodSync(join(root, 'files/run'), 0o700)
    chmodSync(join(root, 'files'), 0o700)
    expect(await digestOf(root)).toBe(before)
    chmodSync(join(root, 'files/a'), 0o755)
    expect(await digestOf(root)).not.toBe(before)
  })

  test('has names in NFC', async () => {
    const root = tempFolder({ 'files/u\u0308': 'a' })
    expect(await listed(root, ['**'])).toEqual([['\u00fc', '0644', sha256('a')]])
  })

  test('is the same from several patterns, minus what is excluded', async () => {
    const root = tempFolder({
      'files/a.conf': 'a',
      'files/b.conf': 'b',
      'files/d/c.txt': 'c',
      'files/d/d.bak': 'd',
    })
    const paths = async (patterns: string[]): Promise<string[]> =>
      (await listed(root, patterns)).map(([path]) => path)
    expect(await paths(['*.conf', 'a.*', './d/', '!**/*.bak'])).toEqual(['a.conf', 'b.conf', 'd/c.txt'])
    expect(await paths(['d'])).toEqual(['d/c.txt', 'd/d.bak'])
  })

  test('says which folders decide it, also those that have no match', async () => {
    const root = tempFolder({ 'files/a/x.conf': '', 'files/b/y.txt': '' })
    const { seen } = await listFiles({ root, base: 'files', patterns: ['**/*.conf'], stats: statsOf(root) })
    const names = seen.map((path) => path.slice(root.length + 1)).toSorted()
    expect(names).toEqual(['files', 'files/a', 'files/a/x.conf', 'files/b'])
  })
})

describe('the digest changes with', () => {
  test.each<[string, (root: string) => void]>([
    ['a byte', (root) => writeFileSync(join(root, 'files/a'), 'b')],
    ['a new file', (root) => writeFileSync(join(root, 'files/d/c'), '')],
    ['a new empty folder', (root) => mkdirSync(join(root, 'files/e'))],
    ["a link's target", (root) => execFileSync('ln', ['-sfn', 'b', join(root, 'files/link')])],
    [
      'a file in place of a link',
      (root) => execFileSync('cp', ['--remove-destination', join(root, 'files/a'), join(root, 'files/link')]),
    ],
  ])('%s', async (_name, edit) => {
    expect(await change(edit)).toBe(true)
  })

  test('and not with the checkout, nor the time', async () => {
    const [one, two] = [tempFolder({ 'files/a': 'a' }), tempFolder({ 'files/a': 'a' })]
    execFileSync('touch', ['-d', '2001-01-01', join(two, 'files/a')])
    expect(await digestOf(one)).toBe(await digestOf(two))
  })
})

describe('what cannot be listed', () => {
  test.each<[string, { base?: string; patterns: string[] }, unknown]>([
    [
      'a pattern without a match',
      { patterns: ['**', '*.conf'] },
      {
        code: 'INPUT_MISSING',
        message: 'no file matches *.conf in files',
        path: 'files',
        hint: 'check the pattern; it is relative to the base',
        found: '*.conf',
      },
    ],
    [
      'a base that is not there',
      { base: 'file', patterns: ['**'] },
      {
        code: 'INPUT_MISSING',
        message: 'there is no folder file',
        path: 'file',
        hint: 'check the base, relative to the imgfile',
      },
    ],
    [
      'a base that is a file',
      { base: 'files/a', patterns: ['**'] },
      {
        code: 'INPUT_INVALID',
        message: 'the base files/a is a file',
        path: 'files/a',
        hint: 'give its folder as base and its name as pattern',
      },
    ],
    [
      'a pattern that leaves the base',
      { patterns: ['../secret'] },
      {
        code: 'INPUT_INVALID',
        message: 'the pattern ../secret leaves its base files',
        hint: 'choose a base above the files and patterns below it',
        found: '../secret',
      },
    ],
    [
      'an absolute pattern',
      { patterns: ['/etc/passwd'] },
      {
        code: 'INPUT_INVALID',
        message: 'the pattern /etc/passwd leaves its base files',
        hint: 'choose a base above the files and patterns below it',
        found: '/etc/passwd',
      },
    ],
  ])('%s', async (_name, { base = 'files', patterns }, expected) => {
    expect(await failure(tempFolder({ 'files/a': 'a' }), { base, patterns })).toEqual(expected)
  })

  test('a pipe', async () => {
    const root = tempFolder({ 'files/a': 'a' })
    execFileSync('mkfifo', [join(root, 'files/pipe')])
    expect(await failure(root, { base: 'files', patterns: ['**'] })).toEqual({
      code: 'INPUT_INVALID',
      message: 'files/pipe is neither a file, a folder nor a link',
      path: 'files/pipe',
      hint: 'exclude it with a pattern that starts with !',
    })
  })

  test('two names that are one name elsewhere', async () => {
    const root = tempFolder({ 'files/u\u0308': 'a', 'files/\u00fc': 'b' })
    expect(await failure(root, { base: 'files', patterns: ['**'] })).toEqual({
      code: 'INPUT_INVALID',
      message: 'two files in files are called \u00fc, written in different ways',
      path: 'files/\u00fc',
      hint: 'rename one: Unicode has two spellings for its letters, and other machines know one',
    })
  })

  test.skipIf(process.getuid?.() === 0)('a file that may not be read', async () => {
    const root = tempFolder({ 'files/a': 'a' })
    chmodSync(join(root, 'files/a'), 0)
    expect(await failure(root, { base: 'files', patterns: ['**'] })).toMatchObject({
      code: 'INPUT_INVALID',
      message: `cannot read files/a: EACCES: permission denied, open '${root}/files/a'`,
    })
  })
})

const change = async (edit: (root: string) => void): Promise<boolean> => {
  const root = tempFolder({ 'files/a': 'a', 'files/d/b': 'b' })
  symlinkSync('a', join(root, 'files/link'))
  const before = await digestOf(root)
  edit(root)
  return (await digestOf(root)) !== before
}

const statsOf = (root: string): ReturnType<typeof openStatCache> =>
  openStatCache({ root, cacheDir: tempFolder(), now: Date.now })

async function listed(root: string, patterns: string[]): Promise<[string, string, string][]> {
  const { files } = await listFiles({ root, base: 'files', patterns, stats: statsOf(root) })
  return files.map(({ path, mode, digest }) => [path, mode, digest])
}

async function digestOf(root: string): Promise<string> {
  const closure = { files: [], packages: {}, env: [], outside: [] }
  const resolved = await resolveInput(
    { kind: 'files', base: 'files', patterns: ['**'] },
    { root, env: {}, stats: statsOf(root), closure, place: '' },
  )
  return resolved.digest
}

async function failure(root: string, wanted: { base: string; patterns: string[] }): Promise<unknown> {
  const error: unknown = await listFiles({ root, ...wanted, stats: statsOf(root) }).then(
    () => new Error('it was listed'),
    (reason: unknown) => reason,
  )
  if (!(error instanceof ImgError)) throw error
  const { cause: _cause, ...fields } = error.fields
  return { code: error.code, message: error.message, ...fields }
}
