import { join } from 'node:path'
import { expect, test } from 'vitest'
import { portablePath, readClosure, type Closure } from '../../../tasks/run/closure.ts'
import { tempFolder } from '../../rig/temp-folder.ts'

test('follows every way of importing a file, through comments and over several lines', () => {
  const root = tempFolder({
    'imgfile.ts': `import a from './a.ts'
import './b.js'
import {
  c,
} from /* why not */ "./c"
export * from './d/index.mjs'
const e = await import('./e.mts')
const f = require('./f.cjs')
import type { G } from './g.ts'
import data from './h.json' with { type: 'json' }
import {i}from'./i.ts'`,
    'a.ts': `import './a.ts'\nimport './imgfile.ts'`,
    'b.ts': '',
    'c/index.ts': '',
    'd/index.mts': '',
    'e.mts': '',
    'f.cjs': '',
    'g.ts': '',
    'h.json': `"import './not-a-module.ts'"`,
    'i.ts': '',
    'not-a-module.ts': '',
  })
  const names = [
    'a.ts',
    'b.ts',
    'c/index.ts',
    'd/index.mts',
    'e.mts',
    'f.cjs',
    'g.ts',
    'h.json',
    'i.ts',
    'imgfile.ts',
  ]
  expect(namesOf(root, closureOf(root))).toEqual(names)
  expect(closureOf(root)).toMatchObject({ packages: {}, env: [], outside: [] })
})

test('has the content of each file as a digest', () => {
  const root = tempFolder({ 'imgfile.ts': 'export default 1\n' })
  expect(closureOf(root).files).toEqual([
    {
      path: join(root, 'imgfile.ts'),
      digest: '7f91f377ddf291164013ac18d6e2098b2a9f02bacc02cfb6fc191cc205474858',
    },
  ])
})

test('a package is its name and version, and imgfile is none', () => {
  const root = tempFolder({
    'imgfile.ts': `import 'imgfile'\nimport 'imgfile/recipes'\nimport '@a/b/deep.js'\nimport 'gone'`,
    'node_modules/@a/b/package.json': '{"version":"1.2.3"}',
  })
  const closure = closureOf(root)
  expect(closure.packages).toEqual({ '@a/b': '1.2.3' })
  expect(closure.outside).toEqual(['gone'])
})

test('environment variables are named when they can be', () => {
  const root = tempFolder({
    'imgfile.ts': `const a = process.env.SITE ?? process.env['ROLE']\nconst b = process.env["DEBUG"]`,
  })
  expect(closureOf(root)).toMatchObject({ env: ['DEBUG', 'ROLE', 'SITE'], outside: [] })
})

test.each([
  [`import { readFileSync } from 'node:fs'`, ['node:fs']],
  [`import os from 'os'`, ['os']],
  ['const { SITE } = process.env', ['process.']],
  ['const all = { ...process.env }', ['process.']],
  ['use(process)', ['process)']],
  ['const t = Date.now()', ['Date.']],
  ['const t = new Date()', ['Date(']],
  [`const r = await fetch('http://example.org')`, ['fetch(']],
  ['const n = Math.random()', ['Math.random']],
  ['const m = await import(name)', ['import(n']],
  ['const m = await import(`./${name}.ts`)', ['import(`']],
  ['const m = require(name)', ['require(n']],
  [`const v = eval('1')`, ['eval(']],
])('%s is something equal files do not prove', (source, outside) => {
  expect(closureOf(tempFolder({ 'imgfile.ts': source })).outside).toEqual(outside)
})

test.each([
  `import path from 'node:path'`,
  `import { fileURLToPath } from 'url'`,
  'const here = import.meta.dirname',
  '// the process of updating a candidate',
])('%s is nothing outside', (source) => {
  expect(closureOf(tempFolder({ 'imgfile.ts': source }))).toMatchObject({
    env: [],
    outside: [],
    packages: {},
  })
})

test('a path is the same in every checkout', () => {
  expect(portablePath('/a/b', '/a/b/c/d.ts')).toBe('c/d.ts')
  expect(portablePath('/a/b', '/a/shared.ts')).toBe('../shared.ts')
})

const closureOf = (root: string): Closure => readClosure(join(root, 'imgfile.ts'))

const namesOf = (root: string, { files }: Closure): string[] =>
  files.map(({ path }) => portablePath(root, path)).toSorted()
