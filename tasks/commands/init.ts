import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ImgError } from '../errors.ts'
import type { Command } from './command.ts'

export const init: Command = {
  name: 'init',
  summary: 'start a project in an empty folder',
  arguments: '[folder]',
  options: [],
  example: 'img init my-images',
  run: (call) => {
    const [given = '.'] = call.args
    const folder = resolve(call.cwd, given)
    const files = scaffold()
    const taken = [...files.keys()].find((path) => existsSync(join(folder, path)))
    if (taken !== undefined) {
      throw new ImgError('USAGE', `${taken} is already in ${folder}`, {
        hint: 'choose an empty folder: img init my-images',
        path: taken,
      })
    }
    for (const [path, content] of files) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      // A file that appeared since is not overwritten either.
      writeFileSync(join(folder, path), content, { flag: 'wx' })
    }
    const names = [...files.keys()]
    const next = given === '.' ? '' : `cd ${given} && `
    call.print(
      call.json
        ? { folder, files: names }
        : `${names.map((name) => `wrote ${name}\n`).join('')}next: ${next}npx img build\n`,
    )
    return Promise.resolve(0)
  },
}

/** What a new project has, by path. Template files end in .txt, since npm and compilers treat some names specially. */
export function scaffold(): ReadonlyMap<string, Buffer> {
  const templates = join(packageRoot, 'tasks/commands/init-template')
  const files = new Map<string, Buffer>()
  for (const entry of readdirSync(templates, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const name = relative(templates, path)
      .replace(/\.txt$/, '')
      .replace(/^gitignore$/, '.gitignore')
    files.set(name, readFileSync(path))
  }
  // The answer file of our own images serves as the example, so it cannot rot.
  files.set('preseed/trixie.cfg', readFileSync(join(packageRoot, 'preseed/trixie.cfg')))
  return new Map([...files].toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

const packageRoot = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../../' : '../../../', import.meta.url),
)
