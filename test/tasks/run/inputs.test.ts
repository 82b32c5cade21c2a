import { createHash } from 'node:crypto'
import { readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ImgError } from '../../../tasks/errors.ts'
import { readClosure } from '../../../tasks/run/closure.ts'
import { resolveInput, type InputSources, type LocalInput } from '../../../tasks/run/inputs.ts'
import { openStatCache } from '../../../tasks/run/stat-cache.ts'
import { tempFolder } from '../../rig/temp-folder.ts'

const sha256 = (text: string | Buffer): string => createHash('sha256').update(text).digest('hex')

describe('text', () => {
  test('is its content, without a byte order mark', async () => {
    const root = tempFolder({ 'preseed/a.cfg': '\ufeffd-i a string é\r\n' })
    const resolved = await resolveInput({ kind: 'text', path: 'preseed/a.cfg' }, sourcesOf(root))
    const digest = sha256(readFileSync(join(root, 'preseed/a.cfg')))
    expect(resolved).toMatchObject({
      kind: 'text',
      digest,
      files: [{ path: 'preseed/a.cfg', digest }],
      inKey: false,
      value: { path: 'preseed/a.cfg', content: 'd-i a string é\r\n' },
    })
    const staged = join(tempFolder(), 'staged')
    await resolved.stage?.(staged)
    expect(readFileSync(staged)).toEqual(readFileSync(join(root, 'preseed/a.cfg')))
  })

  test('behind a link is watched where it is', async () => {
    const root = tempFolder({ 'real.cfg': 'a' })
    symlinkSync('real.cfg', join(root, 'link.cfg'))
    const { seen } = await resolveInput({ kind: 'text', path: 'link.cfg' }, sourcesOf(root))
    expect(seen).toEqual([join(root, 'link.cfg'), join(root, 'real.cfg')])
  })

  test.each<[string, string, unknown]>([
    [
      'misspelt',
      'preseed/trixi.cfg',
      {
        code: 'INPUT_MISSING',
        message: 'there is no file preseed/trixi.cfg',
        path: 'preseed/trixi.cfg',
        hint: 'did you mean trixie.cfg?',
      },
    ],
    [
      'in a folder that is not there',
      'nowhere/a.cfg',
      {
        code: 'INPUT_MISSING',
        message: 'there is no file nowhere/a.cfg',
        path: 'nowhere/a.cfg',
        hint: 'check the path, relative to the imgfile',
      },
    ],
    [
      'a folder',
      'preseed',
      {
        code: 'INPUT_INVALID',
        message: 'preseed is not a file',
        path: 'preseed',
        hint: 'name one text file',
      },
    ],
    [
      'no text',
      'latin.cfg',
      {
        code: 'INPUT_INVALID',
        message: 'latin.cfg is not UTF-8 text',
        path: 'latin.cfg',
        hint: 'convert it: iconv -f latin1 -t utf-8',
      },
    ],
  ])('%s', async (_name, path, expected) => {
    const root = tempFolder({ 'preseed/trixie.cfg': 'a', 'latin.cfg': Buffer.from([0x66, 0xfc, 0x72]) })
    expect(await failure({ kind: 'text', path }, sourcesOf(root))).toEqual(expected)
  })
})

test('a script is the imgfile it stands in', async () => {
  const root = tempFolder({ 'imgfile.ts': `import './a.ts'`, 'a.ts': '1' })
  const declaration: LocalInput = { kind: 'script', run: () => undefined }
  const first = await resolveInput(declaration, sourcesOf(root))
  expect(first).toMatchObject({ kind: 'script', inKey: true })
  expect(first.files.map(({ path }) => path)).toEqual(['imgfile.ts', 'a.ts'])
  const other = await resolveInput(declaration, { ...sourcesOf(root), place: 'role:other 0.script' })
  expect(other.digest).not.toBe(first.digest)
})

describe('an environment value', () => {
  test('is in the key as its digest', async () => {
    const sources = { ...sourcesOf(tempFolder()), env: { SITE: 'a' } }
    expect(await resolveInput({ kind: 'env', name: 'SITE', default: 'b' }, sources)).toEqual({
      kind: 'env',
      digest: sha256('a'),
      files: [],
      inKey: true,
      value: 'a',
      seen: [],
    })
    expect(await resolveInput({ kind: 'env', name: 'UNSET', default: 'b' }, sources)).toMatchObject({
      value: 'b',
    })
  })

  test('that is not set', async () => {
    expect(await failure({ kind: 'env', name: 'SITE' }, sourcesOf(tempFolder()))).toEqual({
      code: 'INPUT_MISSING',
      message: 'the environment variable SITE is not set',
      hint: 'set it: SITE=… img build; or declare the input with a default',
    })
  })
})

test('what was resolved before is not read for its digest again', async () => {
  const root = tempFolder({ 'a.cfg': 'a', 'files/x': 'x', 'files/y': 'y' })
  const sources = sourcesOf(root)
  const all = async (): Promise<string[]> => {
    const declarations: LocalInput[] = [
      { kind: 'text', path: 'a.cfg' },
      { kind: 'files', base: 'files', patterns: ['**'] },
    ]
    const resolved = await Promise.all(declarations.map((each) => resolveInput(each, sources)))
    return resolved.map(({ digest }) => digest)
  }
  const first = await all()
  const { hashed } = sources.stats.counts
  expect(hashed).toBe(3)
  expect(await all()).toEqual(first)
  expect(sources.stats.counts.hashed).toBe(hashed)
})

const later = (): number => Date.now() + 10_000

function sourcesOf(root: string): InputSources {
  const imgfile = join(root, 'imgfile.ts')
  const closure = { files: [], packages: {}, env: [], outside: [] }
  return {
    root,
    env: {},
    stats: openStatCache({ root, cacheDir: tempFolder(), now: later }),
    get closure() {
      return existing(imgfile) ? readClosure(imgfile) : closure
    },
    place: 'role:web 0.script',
  }
}

function existing(path: string): boolean {
  try {
    return readFileSync(path).length > 0
  } catch {
    return false
  }
}

async function failure(declaration: LocalInput, sources: InputSources): Promise<unknown> {
  const error: unknown = await resolveInput(declaration, sources).then(
    () => new Error('it was resolved'),
    (reason: unknown) => reason,
  )
  if (!(error instanceof ImgError)) throw error
  const { cause: _cause, ...fields } = error.fields
  return { code: error.code, message: error.message, ...fields }
}
