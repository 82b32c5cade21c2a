// A copy of the imgfile's folder that may be edited, and caches to build it in.

import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'

export interface ProjectCopy {
  /** Private; whoever made the copy removes it. */
  readonly folder: string
  readonly root: string
  /** What was built and downloaded before. */
  readonly cache: string
  /** For a build that nothing was watched for. */
  readonly cold: string
}

/** `begun` may have what a cold build begins with; else that has nothing but downloads. */
export function copyProject(finished: string, begun?: string): ProjectCopy {
  const folder = mkdtempSync(join(tmpdir(), 'img-watch-'))
  const [root, cache, cold] = ['project', 'cache', 'cold'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ]
  const here = resolve('.')
  cpSync(here, root, { recursive: true, filter: (path) => !leftOut.has(basename(path)) || path === here })
  copyCache(finished, cache)
  if (begun === undefined) cpSync(join(finished, 'mirror'), join(cold, 'mirror'), { recursive: true })
  else copyCache(begun, cold)
  return { folder, root, cache, cold }
}

/** What is named by its content is never written again, and so shared. */
function copyCache(from: string, to: string): void {
  mkdirSync(to)
  for (const name of readdirSync(from).filter((one) => !madeAgain.has(one))) {
    const options = name.startsWith('content-') ? '-al' : '-a'
    execFileSync('cp', [options, join(from, name), join(to, name)])
  }
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
