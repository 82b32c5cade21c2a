import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ImgError } from '../../../tasks/errors.ts'
import { layer } from '../../../tasks/index.ts'
import { loadImgfile, type LoadContext } from '../../../tasks/run/load.ts'
import { tempFolder } from '../../rig/temp-folder.ts'

const recipe = `{ name: 'empty', mode: 'chroot', inputs: {}, parent: 'none', steps: () => [] }`
const good = `import { defineImgfile, layer } from 'imgfile'
export default defineImgfile({ layers: [layer('install:a', ${recipe} as const)] })
`

describe('a good imgfile', () => {
  test('is loaded with its types stripped, and only our cache folder is written to', async () => {
    const root = tempFolder({ 'imgfile.ts': good })
    const context = contextOf(root)
    const { path, imgfile } = await loadImgfile(context)
    expect(path).toBe(join(root, 'imgfile.ts'))
    expect(imgfile.layers.map(({ name, declaredAt }) => [name, declaredAt])).toEqual([
      ['install:a', expect.stringMatching(new RegExp(`^${root}/imgfile.ts:2:\\d+$`))],
    ])
    expect(readdirSync(root)).toEqual(['imgfile.ts'])
  })

  test('shares one engine with us, also in modules it imports by another name', async () => {
    const root = tempFolder({
      'imgfile.ts': `import { a } from './layers.js'\nimport * as own from 'imgfile'\n${good}
globalThis.seenByTest = [a, own.layer]`,
      'layers.ts': `import { layer } from 'imgfile'\nexport const a = layer`,
    })
    await loadImgfile(contextOf(root))
    expect((globalThis as { seenByTest?: unknown }).seenByTest).toEqual([layer, layer])
    delete (globalThis as { seenByTest?: unknown }).seenByTest
  })

  test.each(['imgfile.mts', 'imgfile.js', 'imgfile.mjs'])('may be called %s', async (name) => {
    const root = tempFolder({ [name]: good.replace(' as const', '') })
    expect((await loadImgfile(contextOf(root))).path).toBe(join(root, name))
  })

  test('may be given by name', async () => {
    const root = tempFolder({ 'other.ts': good })
    expect((await loadImgfile(contextOf(root), 'deep/../other.ts')).path).toBe(join(root, 'other.ts'))
  })

  test('names the files it is made of', async () => {
    const root = tempFolder({
      'imgfile.ts': `import roles from './roles.json' with { type: 'json' }\nimport './deep/a.ts'\n${good}void roles`,
      'roles.json': '[]',
      'deep/a.ts': `import '../b'`,
      'b/index.ts': '',
      'unrelated.ts': '',
    })
    const { closure } = await loadImgfile(contextOf(root))
    expect(closure.files.map(({ path }) => path.slice(root.length + 1)).toSorted()).toEqual([
      'b/index.ts',
      'deep/a.ts',
      'imgfile.ts',
      'roles.json',
    ])
  })

  test('prints to stderr, since stdout is for results', async () => {
    const root = tempFolder({ 'imgfile.ts': `process.stdout.write('noise')\n${good}` })
    const written: unknown[] = []
    const write = process.stderr.write.bind(process.stderr)
    process.stderr.write = (text: unknown) => written.push(text) > 0
    try {
      await loadImgfile(contextOf(root))
    } finally {
      process.stderr.write = write
    }
    expect(written).toEqual(['noise'])
  })
})

describe('an imgfile that is not there', () => {
  test('anywhere', async () => {
    const root = tempFolder()
    expect(await failure(contextOf(root))).toEqual({
      code: 'IMGFILE_NOT_FOUND',
      message: `no imgfile.ts in ${root} or any folder above it`,
      hint: 'run `img init` to start a project here',
    })
  })

  test('under the given name', async () => {
    expect(await failure(contextOf(tempFolder({ 'imgfile.ts': good })), 'x.ts')).toEqual({
      code: 'IMGFILE_NOT_FOUND',
      message: 'there is no file x.ts',
      hint: 'check what --imgfile says',
    })
  })
})

describe('an imgfile that is wrong', () => {
  test.each([
    [
      'does not parse',
      { 'imgfile.ts': 'const a = 1\nconst b: = 2\n' },
      {
        code: 'IMGFILE_INVALID',
        message: 'imgfile.ts cannot be parsed: Unexpected token',
        path: 'imgfile.ts',
        line: 2,
        found: 'const b: = 2',
        hint: 'correct the line and run the command again',
      },
    ],
    [
      'imports what does not parse',
      { 'imgfile.ts': `import './deep/b.ts'\n`, 'deep/b.ts': '\n\nexport {' },
      {
        code: 'IMGFILE_INVALID',
        message: 'deep/b.ts cannot be parsed: Unexpected token',
        path: 'deep/b.ts',
        line: 3,
        found: 'export {',
        hint: 'correct the line and run the command again',
      },
    ],
    [
      'imports a file that is not there',
      { 'imgfile.ts': `// first\nimport { x } from './nope.ts'\nexport default x\n` },
      {
        code: 'IMGFILE_INVALID',
        message: 'imgfile.ts imports ./nope.ts, which is not there',
        path: 'imgfile.ts',
        line: 2,
        found: `import { x } from './nope.ts'`,
        hint: 'check the path and its extension',
      },
    ],
    [
      'imports a package that is not installed',
      { 'imgfile.ts': `import { x } from '@scope/nope/deep'\nexport default x\n` },
      {
        code: 'IMGFILE_INVALID',
        message: 'imgfile.ts imports @scope/nope/deep, which is not there',
        path: 'imgfile.ts',
        line: 1,
        found: `import { x } from '@scope/nope/deep'`,
        hint: 'run `npm install @scope/nope`',
      },
    ],
    [
      'imports a part of us there is not',
      { 'imgfile.ts': `import { x } from 'imgfile/recipe'\nexport default x\n` },
      {
        code: 'IMGFILE_INVALID',
        message: 'imgfile.ts imports imgfile/recipe, which is not there',
        path: 'imgfile.ts',
        line: 1,
        found: `import { x } from 'imgfile/recipe'`,
        hint: 'did you mean imgfile/recipes?',
      },
    ],
    [
      'throws',
      { 'imgfile.ts': `\nfunction f(): never {\n  throw new TypeError('boom')\n}\nf()\n` },
      {
        code: 'IMGFILE_THREW',
        message: 'imgfile.ts threw TypeError: boom',
        path: 'imgfile.ts',
        line: 3,
        found: `throw new TypeError('boom')`,
        hint: 'this came from the imgfile or what it imports, while it was loaded',
      },
    ],
    [
      'imports what throws',
      { 'imgfile.ts': `import './b.ts'\n`, 'b.ts': `throw new Error('no')\n` },
      {
        code: 'IMGFILE_THREW',
        message: 'imgfile.ts threw no',
        path: 'b.ts',
        line: 1,
        found: `throw new Error('no')`,
        hint: 'this came from the imgfile or what it imports, while it was loaded',
      },
    ],
    [
      'throws something else than an error',
      { 'imgfile.ts': `throw 'nothing'\n` },
      {
        code: 'IMGFILE_THREW',
        message: 'imgfile.ts threw the string "nothing"',
        path: 'imgfile.ts',
        hint: 'throw an Error instead, so that it says where',
      },
    ],
    [
      'declares a layer wrongly',
      { 'imgfile.ts': `import { layer } from 'imgfile'\n\nexport default layer('web', ${recipe})\n` },
      {
        code: 'IMGFILE_INVALID',
        message: '"web" is not a layer name',
        path: 'imgfile.ts',
        line: 3,
        found: 'web',
        wanted: 'kind:name, both of a-z 0-9 . _ - and starting with a letter or digit',
        hint: 'write kind:name, for example role:ceph-node',
      },
    ],
    [
      'ends the process',
      { 'imgfile.ts': `${good}process.exit(3)\n` },
      {
        code: 'IMGFILE_THREW',
        message: 'imgfile.ts called process.exit(3)',
        path: 'imgfile.ts',
        hint: 'throw an error instead, so that it says why',
      },
    ],
    [
      'ends the process and hides it',
      { 'imgfile.ts': `try { process.exit() } catch {}\n${good}` },
      {
        code: 'IMGFILE_THREW',
        message: 'imgfile.ts called process.exit()',
        path: 'imgfile.ts',
        hint: 'throw an error instead, so that it says why',
      },
    ],
    [
      'exports nothing',
      { 'imgfile.ts': `export const a = 1\n` },
      {
        code: 'IMGFILE_INVALID',
        message: 'imgfile.ts has no default export',
        path: 'imgfile.ts',
        hint: 'write export default defineImgfile({ layers: [ … ] })',
      },
    ],
    [
      'exports something else',
      { 'imgfile.ts': `export default { layers: [], targets: [] }\n` },
      {
        code: 'IMGFILE_INVALID',
        message:
          'the default export of imgfile.ts is an object with layers, targets, not what defineImgfile returns',
        path: 'imgfile.ts',
        hint: 'write export default defineImgfile({ layers: [ … ] })',
      },
    ],
  ])('%s', async (_name, files, expected) => {
    expect(await failure(contextOf(tempFolder(files)))).toEqual(expected)
  })

  test('never ends', async () => {
    const root = tempFolder({ 'imgfile.ts': `${good}await new Promise(() => {})\n` })
    expect(await failure(contextOf(root, { IMG_LOAD_TIMEOUT: '0.2' }))).toEqual({
      code: 'IMGFILE_HUNG',
      message: 'imgfile.ts was not loaded within 0.2 s',
      path: 'imgfile.ts',
      hint: 'look for an await that never ends or an endless loop; IMG_LOAD_TIMEOUT=60 allows it 60 seconds',
    })
  })

  test('is given up when the user interrupts', async () => {
    const root = tempFolder({ 'imgfile.ts': `${good}await new Promise(() => {})\n` })
    const controller = new AbortController()
    const failed = failure({ ...contextOf(root), signal: controller.signal })
    controller.abort()
    expect(await failed).toEqual({ code: 'INTERRUPTED', message: 'loading imgfile.ts was interrupted' })
  })

  test('a limit that is no number', async () => {
    const root = tempFolder({ 'imgfile.ts': good })
    expect(await failure(contextOf(root, { IMG_LOAD_TIMEOUT: 'long' }))).toEqual({
      code: 'USAGE',
      message: 'IMG_LOAD_TIMEOUT is long, not a number of seconds',
      hint: 'set it to a number above 0, or unset it for the default of 10',
    })
  })
})

test('what was transformed is kept in the cache folder', async () => {
  const root = tempFolder({ 'imgfile.ts': good })
  const context = contextOf(root)
  await loadImgfile(context)
  expect(existsSync(join(context.cacheDir, 'jiti'))).toBe(true)
})

function contextOf(root: string, env: Record<string, string> = {}): LoadContext {
  return { root, cacheDir: tempFolder(), env, signal: new AbortController().signal, loader: 'jiti' }
}

async function failure(context: LoadContext, given?: string): Promise<unknown> {
  const error: unknown = await loadImgfile(context, given).then(
    () => new Error('it was loaded'),
    (reason: unknown) => reason,
  )
  if (!(error instanceof ImgError)) throw error
  const { cause: _cause, ...fields } = error.fields
  return { code: error.code, message: error.message, ...fields }
}
