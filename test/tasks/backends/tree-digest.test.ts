import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { createReadStream } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { tarOptions } from '../../../tasks/backends/tool-tree.ts'
import { computeTreeDigest } from '../../../tasks/backends/tree-digest.ts'
import { runProgram } from '../../../tasks/run/process.ts'

let folder: string
let tree: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'img-digest-'))
  tree = join(folder, 'tree')
  plant()
})
afterEach(() => rmSync(folder, { recursive: true }))

/** Names that need extended headers, a hardlink, a symlink, an empty folder and content over several reads. */
function plant(): void {
  rmSync(tree, { recursive: true, force: true })
  mkdirSync(join(tree, 'a', 'empty'), { recursive: true })
  writeFileSync(join(tree, 'a', 'file'), 'content')
  writeFileSync(join(tree, 'a', `long-${'x'.repeat(200)}`), Buffer.alloc(3_000_001, 7))
  writeFileSync(join(tree, 'a', 'ü\n "quoted"'), '')
  linkSync(join(tree, 'a', 'file'), join(tree, 'b'))
  symlinkSync('a/file', join(tree, 'link'))
  for (const name of ['a/empty', 'a/file', `a/long-${'x'.repeat(200)}`, 'a/ü\n "quoted"', 'a', '.']) {
    utimesSync(join(tree, name), 1_500_000_000, 1_500_000_000)
  }
}

async function digest(
  rest: { about?: string; filesystemRoots?: readonly string[]; read?: number } = {},
): Promise<string> {
  const tar = join(folder, 'tree.tar')
  // The symlink's own date is the one thing this cannot set.
  const argv = ['tar', '--create', '--file', tar, ...tarOptions, '--exclude=./link', '--directory', tree, '.']
  expect(await runProgram(argv)).toMatchObject({ exitCode: 0, stderr: '' })
  return computeTreeDigest(createReadStream(tar, { highWaterMark: rest.read ?? 65_536 }), {
    about: rest.about ?? '',
    filesystemRoots: rest.filesystemRoots ?? [],
  })
}

test('is the same for the same tree, however it is read', async () => {
  const first = await digest()
  expect(first).toMatch(/^[0-9a-f]{64}$/)
  expect(await digest({ read: 511 })).toBe(first)
  plant()
  expect(await digest()).toBe(first)
})

const changes: Readonly<Record<string, () => void>> = {
  content: () => writeFileSync(join(tree, 'a', 'file'), 'Content'),
  mode: () => chmodSync(join(tree, 'a', 'file'), 0o755),
  'mode of an empty folder': () => chmodSync(join(tree, 'a', 'empty'), 0o700),
  date: () => utimesSync(join(tree, 'a', 'empty'), 0, 0),
  'a file more': () => writeFileSync(join(tree, 'c'), ''),
  'an empty folder less': () => rmSync(join(tree, 'a', 'empty'), { recursive: true }),
  'a hardlink that becomes a file of its own': () => {
    rmSync(join(tree, 'b'))
    writeFileSync(join(tree, 'b'), 'content')
  },
}

test.each(Object.keys(changes))('changes with %s', async (name) => {
  const before = await digest()
  changes[name]?.()
  for (const path of ['a/file', 'a', '.'])
    if (name !== 'date') utimesSync(join(tree, path), 1_500_000_000, 1_500_000_000)
  expect(await digest()).not.toBe(before)
})

test('changes with what it is about', async () => {
  expect(await digest({ about: 'one' })).not.toBe(await digest({ about: 'two' }))
})

test("a filesystem's own lost+found does not count, one made by the user does", async () => {
  const before = await digest({ filesystemRoots: ['', 'a'] })
  for (const path of ['lost+found', 'a/lost+found']) mkdirSync(join(tree, path))
  for (const path of ['a', '.']) utimesSync(join(tree, path), 1_500_000_000, 1_500_000_000)
  expect(await digest({ filesystemRoots: ['', 'a'] })).toBe(before)
  expect(await digest({ filesystemRoots: [''] })).not.toBe(before)
})

test('a stream that ends early is an error, never a digest', async () => {
  const whole = Buffer.alloc(700, 'x')
  whole.write('name\0', 0)
  async function* cut(): AsyncGenerator<Buffer> {
    yield whole
  }
  await expect(computeTreeDigest(cut(), { about: '', filesystemRoots: [] })).rejects.toThrow(
    'the tar stream ends in the middle of an entry',
  )
})
