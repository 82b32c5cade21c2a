import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { remember, type Question } from '../../tasks/run/remembered.ts'
import { version } from '../../tasks/version.ts'
import { cli, plainImgfile, testProject, type TestProject } from '../rig/project.ts'
import { tempFolder } from '../rig/temp-folder.ts'

// Node's own coverage tells which modules a process loaded, without asking the program.

test('img --help loads the command line parser and no command', async () => {
  const { packages, modules } = await loaded(testProject(), ['--help'])
  expect(packages).toEqual(['commander'])
  expect(modules.filter((name) => name.startsWith('tasks/commands/'))).toEqual([
    'tasks/commands/index.js',
    'tasks/commands/parse.js',
  ])
})

test('img graph loads the imgfile, and nothing that builds, draws or serves', async () => {
  const { packages } = await loaded(testProject({ 'imgfile.ts': plainImgfile }), ['graph'])
  for (const heavy of [
    'log-update',
    'fast-glob',
    'make-fetch-happen',
    'execa',
    'zx',
    'cacache',
    'chokidar',
  ]) {
    expect(packages).not.toContain(heavy)
  }
})

test('a build whose answer is remembered loads three modules', async () => {
  const project = testProject({ 'imgfile.ts': plainImgfile, 'files/a': 'a' })
  mkdirSync(project.cacheDir, { recursive: true })
  remember(questionOf(project), {
    output: 'remembered\n',
    read: [join(project.root, 'imgfile.ts')],
    stored: [],
    absent: [],
    env: {},
    now: Date.now() + 10_000,
  })
  expect(await project.img(['build'])).toEqual({ status: 0, stdout: 'remembered\n', stderr: '' })
  expect(await loaded(project, ['build'])).toEqual({
    packages: [],
    modules: ['tasks/cli.js', 'tasks/run/remembered.js', 'tasks/version.js'],
  })
})

function questionOf({ cacheDir, root }: TestProject): Question {
  const versions = `${version} ${statSync(cli).mtimeMs} ${process.version}`
  return { cacheDir, cwd: root, argv: ['build'], env: { IMG_CACHE_DIR: cacheDir }, version: versions }
}

interface Loaded {
  /** Names of packages. */
  readonly packages: string[]
  /** Of ours, below dist/. */
  readonly modules: string[]
}

async function loaded(project: TestProject, args: readonly string[]): Promise<Loaded> {
  const folder = tempFolder()
  const { status } = await project.img(args, { env: { NODE_V8_COVERAGE: folder } })
  expect(status).toBe(0)
  const dist = fileURLToPath(new URL('../../dist/', import.meta.url))
  const packages = new Set<string>()
  const modules = new Set<string>()
  for (const name of readdirSync(folder)) {
    const { result } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as { result: { url: string }[] }
    for (const { url } of result) {
      const path = url.startsWith('file:') ? fileURLToPath(url) : url
      const inPackage = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]
      if (inPackage !== undefined) packages.add(inPackage)
      else if (path.startsWith(dist)) modules.add(path.slice(dist.length))
    }
  }
  return { packages: [...packages].toSorted(), modules: [...modules].toSorted() }
}
