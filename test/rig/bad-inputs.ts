// What a person can get wrong before anything is built: the whole message, the exit status, and nothing stored.

import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { testProject } from './project.ts'
import { writeFiles } from './temp-folder.ts'

export interface BadInput {
  readonly args: readonly string[]
  readonly files: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
  /** Files of the cache that are there before. */
  readonly cache?: Readonly<Record<string, string>>
  readonly status: number
  /** All of it; the project's folder is ROOT and the cache's is CACHE. */
  readonly stderr: string
}

const head = `import { defineImgfile, layer } from 'imgfile'
import { apt, bootstrap, files, hostname, puppet, run, script, users } from 'imgfile/recipes'
const note = (over) => ({ name: 'note', mode: 'chroot', inputs: {}, parent: 'none', steps: () => [], ...over })
const base = layer('base:a', note())
`

/** A project whose imgfile is wrong in its fifth line. */
export const fifthLine = (text: string): Record<string, string> => ({ 'imgfile.ts': `${head}${text}\n` })

/** A project with the layer `role:x` on a parent, by a recipe in the source of an imgfile. */
export const child = (recipe: string): Record<string, string> =>
  fifthLine(`export default defineImgfile({ layers: [layer('role:x', ${recipe}, { from: base })] })`)

/** The same without a parent. */
export const first = (recipe: string): Record<string, string> =>
  fifthLine(`export default defineImgfile({ layers: [layer('role:x', ${recipe})] })`)

export function testBadInputs(inputs: Readonly<Record<string, BadInput>>): void {
  test.each(Object.entries(inputs))('%s', async (_name, { args, files, env, cache, status, stderr }) => {
    const project = testProject(files)
    if (cache !== undefined) writeFiles(project.cacheDir, cache)
    const ended = await project.img(args, env === undefined ? {} : { env })
    const said = ended.stderr.replaceAll(project.root, 'ROOT').replaceAll(project.cacheDir, 'CACHE')
    expect({ ...ended, stderr: said }).toEqual({ status, stdout: '', stderr })
    expect(stored(project.cacheDir)).toEqual([])
  })
}

/** Records are entries of the index; the other folders are where halves of something would lie. */
export function stored(cacheDir: string): readonly string[] {
  return ['index-v5', 'content-v2', 'work', 'tmp', 'writing', 'disks', 'tools'].filter((folder) => {
    const path = join(cacheDir, folder)
    return existsSync(path) && readdirSync(path).length > 0
  })
}

/** The first error in what was said; a layer's is indented below what became of the layer. */
export function wholeError(stderr: string): string {
  const [, indent = '', text = ''] = /^( *)(error [^]*)$/m.exec(stderr) ?? []
  return text.replaceAll(new RegExp(`^${indent}`, 'gm'), '')
}
