// Where the project is: the nearest folder upwards that has an imgfile. Imported by cli.ts, so nothing but node: here.

import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

/** The imgfile's folder; the current one when there is none, for commands that need none. */
export function projectRoot(cwd: string, given?: string): string {
  const path = given === undefined ? findImgfile(cwd) : resolve(cwd, given)
  return path === undefined ? cwd : dirname(path)
}

export function findImgfile(from: string): string | undefined {
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    const found = imgfileNames.map((name) => join(folder, name)).find((path) => existsSync(path))
    if (found !== undefined) return found
    if (folder === dirname(folder)) return undefined
  }
}

export const imgfileNames: readonly string[] = ['imgfile.ts', 'imgfile.mts', 'imgfile.js', 'imgfile.mjs']
