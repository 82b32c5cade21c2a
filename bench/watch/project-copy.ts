// A copy of the imgfile's folder that may be edited, and caches to build it in.

import { cpSync, mkdirSync, mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'

export interface ProjectCopy {
  /** Private; whoever made the copy removes it. */
  readonly folder: string
  readonly root: string
  /** What was built and downloaded before. */
  readonly cache: string
  /** Only what was downloaded. */
  readonly cold: string
}

export function copyProject(finished: string): ProjectCopy {
  const folder = mkdtempSync(join(tmpdir(), 'img-watch-'))
  const [root, cache, cold] = ['project', 'cache', 'cold'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  const here = resolve('.')
  cpSync(here, root, { recursive: true, filter: (path) => !leftOut.has(basename(path)) || path === here })
  mkdirSync(cache)
  for (const name of readdirSync(finished).filter((one) => !madeAgain.has(one)))
    cpSync(join(finished, name), join(cache, name), { recursive: true })
  mkdirSync(cold)
  cpSync(join(finished, 'mirror'), join(cold, 'mirror'), { recursive: true })
  return { folder, root, cache, cold }
}

const leftOut: ReadonlySet<string> = new Set(['.git', 'node_modules', 'dist', 'test', 'bench'])

/** Large, and nobody's: a build makes them of the rest. */
const madeAgain: ReadonlySet<string> = new Set([
  'disks',
  'tools',
  'work',
  'tmp',
  'writing',
  'locks',
  'leases',
])
