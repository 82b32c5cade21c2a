// What design.md says about who may import whom, checked on the sources; `import type` counts like any other import.

import { readdirSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { exitCodes } from '../tasks/errors.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Folders of sources; a rule's words are prefixes of paths from the root. */
const sourceFolders = ['tasks', 'recipes', 'cache', 'preseed', 'firstboot']
const pure = ['tasks/plan/', 'recipes/', 'preseed/', 'firstboot/']
const world = [
  'tasks/run/',
  'tasks/diff/',
  'tasks/backends/',
  'tasks/commands/',
  'tasks/reporters/',
  'cache/',
  'tasks/cli.ts',
]

/** `from` may import what starts with one of `may`, and its own folder. */
const mayImport: readonly { readonly from: string; readonly may: readonly string[] }[] = [
  { from: 'tasks/errors.ts', may: [] },
  { from: 'tasks/events.ts', may: ['tasks/errors.ts', 'tasks/plan/'] },
  { from: 'tasks/context.ts', may: ['tasks/events.ts'] },
  { from: 'tasks/version.ts', may: [] },
  { from: 'tasks/plan/', may: ['tasks/errors.ts'] },
  { from: 'tasks/index.ts', may: ['tasks/plan/', 'tasks/errors.ts'] },
  { from: 'recipes/', may: ['tasks/plan/', 'tasks/errors.ts', 'preseed/', 'firstboot/'] },
  { from: 'preseed/', may: ['tasks/plan/', 'tasks/errors.ts'] },
  { from: 'firstboot/', may: ['tasks/plan/', 'tasks/errors.ts'] },
  {
    from: 'tasks/reporters/',
    may: ['tasks/plan/', 'tasks/errors.ts', 'tasks/events.ts'],
  },
  {
    from: 'tasks/backends/',
    may: ['tasks/plan/', 'tasks/errors.ts', 'tasks/events.ts', 'tasks/context.ts', 'tasks/run/', 'cache/'],
  },
  { from: 'tasks/diff/', may: ['tasks/errors.ts', 'tasks/reporters/', 'cache/'] },
  {
    from: 'tasks/run/',
    may: [
      'tasks/plan/',
      'tasks/errors.ts',
      'tasks/events.ts',
      'tasks/context.ts',
      'tasks/backends/',
      'tasks/diff/',
      'tasks/reporters/format.ts',
      'cache/',
    ],
  },
  {
    from: 'cache/',
    may: [
      'tasks/plan/',
      'tasks/errors.ts',
      'tasks/events.ts',
      'tasks/context.ts',
      'tasks/backends/backend.ts',
      'tasks/run/',
    ],
  },
  {
    from: 'tasks/build.ts',
    may: ['tasks/plan/', 'tasks/errors.ts', 'tasks/events.ts', 'tasks/context.ts', 'tasks/run/', 'cache/'],
  },
  {
    from: 'tasks/commands/',
    may: [
      'tasks/plan/',
      'tasks/errors.ts',
      'tasks/events.ts',
      'tasks/context.ts',
      'tasks/version.ts',
      'tasks/build.ts',
      'tasks/diff/',
      'tasks/run/',
      'tasks/backends/',
      'tasks/reporters/',
      'cache/',
    ],
  },
  {
    from: 'tasks/cli.ts',
    may: [
      'tasks/context.ts',
      'tasks/events.ts',
      'tasks/version.ts',
      'tasks/commands/',
      'tasks/reporters/',
      'tasks/run/',
    ],
  },
]

/** A package that turns text into values and does nothing else. */
const purePackages = ['yaml']

/** Builtin modules without which a pure module can do nothing to the world, nor be decided by it. */
const pureBuiltins = ['node:crypto', 'node:path', 'node:util']

/** Where the process itself may be touched; each says why in its first lines. */
const processHomes = ['tasks/cli.ts', 'tasks/run/load-guard.ts', 'tasks/run/load-module.ts']

interface Source {
  readonly path: string
  readonly text: string
  readonly imports: readonly string[]
}

const sources = sourceFolders.flatMap((folder) => filesBelow(folder)).map(readSource)
const tests = filesBelow('test').map(readSource)

describe('imports', () => {
  test('go only where the table allows', () => {
    const wrong = sources.flatMap(({ path, imports }) => {
      const rule = mayImport.find(
        ({ from }) => path === from || (from.endsWith('/') && path.startsWith(from)),
      )
      if (rule === undefined) return [`${path} is in no rule`]
      const allowed = [...rule.may, rule.from]
      return imports
        .filter((name) => name.startsWith('.'))
        .map((name) => join(dirname(path), name))
        .filter((target) => !allowed.some((prefix) => target.startsWith(prefix)))
        .map((target) => `${path} imports ${target}`)
    })
    expect(wrong).toEqual([])
  })

  test('of pure modules reach no input or output', () => {
    const builtins = new Set(builtinModules.map((name) => `node:${name}`))
    const wrong = sources
      .filter(({ path }) => pure.some((prefix) => path.startsWith(prefix)))
      .flatMap(({ path, imports }) =>
        imports
          .filter((name) => !name.startsWith('.') && !purePackages.includes(name))
          .filter((name) => !(builtins.has(name) && pureBuiltins.includes(name)))
          .map((name) => `${path} imports ${name}`),
      )
    expect(wrong).toEqual([])
  })

  test('of builtin modules say node:', () => {
    const wrong = [...sources, ...tests].flatMap(({ path, imports }) =>
      imports.filter((name) => builtinModules.includes(name)).map((name) => `${path} imports ${name}`),
    )
    expect(wrong).toEqual([])
  })

  test('of the world stay where the world is touched', () => {
    const wrong = sources
      .filter(({ path }) => !world.some((prefix) => path.startsWith(prefix)))
      .flatMap(({ path, imports }) =>
        imports
          .filter(
            (name) =>
              /^node:(?:fs|child_process|net|http|os|worker)/.test(name) && !pureBuiltins.includes(name),
          )
          .map((name) => `${path} imports ${name}`),
      )
    expect(wrong).toEqual([])
  })

  test('of each package are in one file', () => {
    const importers = new Map<string, string[]>()
    for (const { path, imports } of sources) {
      for (const name of new Set(
        imports.filter((each) => !each.startsWith('.') && !each.startsWith('node:')).map(packageOf),
      )) {
        importers.set(name, [...(importers.get(name) ?? []), path])
      }
    }
    const shared = [...importers].filter(([, paths]) => paths.length > 1)
    expect(Object.fromEntries(shared)).toEqual({})
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      readonly dependencies: object
      readonly optionalDependencies: object
    }
    const declared = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies })
    expect([...importers.keys()].filter((name) => !declared.includes(name))).toEqual([])
  })
})

describe('every source', () => {
  test('has at most 300 lines', () => {
    const long = [...sources, ...tests].filter(({ text }) => codeLines(text) > 300).map(({ path }) => path)
    expect(long).toEqual([])
  })

  test('leaves the process, the clock and the console to their homes', () => {
    const wrong = sources
      .filter(({ path }) => !processHomes.includes(path))
      .flatMap(({ path, text }) =>
        [
          ...withoutTexts(text).matchAll(
            /\bprocess\.(?!arch\b)\w+|\bconsole\.(?:log|error|warn|info|debug|trace|table)\b|\bDate\.now\b|\bnew Date\(\)/g,
          ),
        ].map(([what]) => `${path}: ${what}`),
      )
    expect(wrong).toEqual([])
  })

  test('has no variable outside its functions', () => {
    const wrong = sources
      .filter(({ text }) => /^(?:export )?(?:let|var) /m.test(text))
      .map(({ path }) => path)
    expect(wrong).toEqual([])
  })

  test('is in no junk drawer', () => {
    const drawers = /(?:^|\/)(?:utils?|helpers?|common|types|shared|misc)(?:\/|\.ts$)/
    expect(sources.map(({ path }) => path).filter((path) => drawers.test(path))).toEqual([])
  })
})

describe('tests', () => {
  test('stand where their source stands', () => {
    const known = new Set(sources.map(({ path }) => path))
    // Damage is done to the whole store, and several modules must notice it.
    const elsewhere = /^test\/(?:architecture|cli\/|system\/|clients\/|contract\/|rig\/|cache\/damage)/
    const wrong = tests
      .map(({ path }) => path)
      .filter((path) => path.endsWith('.test.ts') && !elsewhere.test(path))
      .filter(
        (path) => !known.has(path.replace(/^test\//, '').replace(/(?:[-.]properties)?\.test\.ts$/, '.ts')),
      )
    expect(wrong).toEqual([])
  })

  test('replace no module, and wait for no time to pass', () => {
    const wrong = tests
      .filter(({ path }) => path !== 'test/architecture.test.ts')
      .flatMap(({ path, text }) =>
        [...text.matchAll(/\bvi\.(?:mock|doMock|stubGlobal)\b|\bsleep\s*\(/g)].map(
          ([what]) => `${path}: ${what}`,
        ),
      )
    expect(wrong).toEqual([])
  })

  test('assert every error code', () => {
    const asserted = tests.map(({ text }) => text).join('\n')
    const missing = Object.keys(exitCodes).filter((code) => !new RegExp(`\\b${code}\\b`).test(asserted))
    expect(missing).toEqual([])
  })
})

function filesBelow(folder: string): string[] {
  const entries = readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.d.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((path) => !path.startsWith('test/fixtures/'))
    .toSorted()
}

const packageOf = (name: string): string => name.split('/', name.startsWith('@') ? 2 : 1).join('/')

function readSource(path: string): Source {
  const text = readFileSync(join(root, path), 'utf8')
  const found = text
    .replaceAll(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, '')
    .matchAll(/^(?:import|export)\b[^'"`;]*?\bfrom '([^']+)'|^import '([^']+)'|\bimport\('([^']+)'\)/gm)
  return { path, text, imports: [...found].map(([, from, bare, dynamic]) => from ?? bare ?? dynamic ?? '') }
}

/** Comments do not count: a long reason is no long program. */
function codeLines(text: string): number {
  const code = text.replaceAll(/\/\*[^]*?\*\//g, '').split('\n')
  return code.filter((line) => line.trim() !== '' && !line.trim().startsWith('//')).length
}

/** Without comments, strings and templates, roughly: programs for guests are text here. */
function withoutTexts(text: string): string {
  return text
    .replaceAll(/\/\*[^]*?\*\/|(?<=^|\s)\/\/[^\n]*/g, '')
    .replaceAll(/`(?:[^`\\]|\\.)*`/g, '``')
    .replaceAll(/'(?:[^'\\\n]|\\.)*'/g, `''`)
    .replaceAll(/\/(?:[^/\\\n*]|\\.)(?:[^/\\\n]|\\.)*\/[a-z]*/g, '0')
}
