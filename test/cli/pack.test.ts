// What users get: the packed package, installed into an empty project of its own.

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { cli } from '../rig/project.ts'
import { tempFolder } from '../rig/temp-folder.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

test('an installed package scaffolds a project, loads it and knows its types', { timeout: 600_000 }, () => {
  const parcel = tempFolder()
  // --ignore-scripts: what is packed is the dist/ the other tests run, which must not vanish under them.
  const [{ filename, files }] = npm(
    ['pack', '--ignore-scripts', '--json', '--pack-destination', parcel],
    root,
  ) as [{ filename: string; files: { path: string }[] }]
  const paths = files.map(({ path }) => path)
  expect(paths).toContain('dist/tasks/cli.js')
  expect(paths).toContain('dist/recipes/index.d.ts')
  expect(
    paths.filter((path) =>
      /^(?:test|bench|tasks\/(?!commands\/init-template)|recipes|cache|\.ci)\b/.test(path),
    ),
  ).toEqual([])
  expect(paths.filter((path) => path.startsWith('dist/test') || path.startsWith('dist/bench'))).toEqual([])

  const project = tempFolder({ 'package.json': '{"private":true}' })
  npm(['install', '--prefer-offline', '--no-audit', '--no-fund', '--json', join(parcel, filename)], project)
  const home = tempFolder()
  const img = (...args: string[]): string =>
    execFileSync(join(project, 'node_modules/.bin/img'), args, {
      cwd: project,
      env: { PATH: process.env['PATH'], HOME: home },
      encoding: 'utf8',
    })
  expect(img('--version')).toBe(execFileSync(process.execPath, [cli, '--version'], { encoding: 'utf8' }))
  expect(img('init')).toContain('wrote imgfile.ts\n')
  expect(JSON.parse(img('graph', '--json'))).toMatchObject({
    layers: expect.arrayContaining([
      expect.objectContaining({ name: 'base:trixie', from: 'install:trixie' }),
    ]),
  })
  checkTypes(project)
})

/** The scaffold must please the compiler of an editor, and a mistake in it must not. */
function checkTypes(project: string): void {
  const compile = (): string => {
    try {
      const options = ['--noEmit', '--strict', '--module', 'nodenext', '--types', '', 'imgfile.ts']
      return execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), ...options], {
        cwd: project,
        encoding: 'utf8',
      })
    } catch (error) {
      return (error as { stdout: string }).stdout
    }
  }
  expect(compile()).toBe('')
  const imgfile = join(project, 'imgfile.ts')
  const text = readFileSync(imgfile, 'utf8')
  expect(text).toContain('{ from: install }')
  execFileSync('sed', ['-i', 's/{ from: install }/{ from: instal }/', imgfile])
  expect(compile()).toContain(`imgfile.ts(${lineOf(text, '{ from: install }')},`)
}

const lineOf = (text: string, part: string): number => text.slice(0, text.indexOf(part)).split('\n').length

function npm(args: readonly string[], cwd: string): unknown {
  return JSON.parse(execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))
}
