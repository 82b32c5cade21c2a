// Whether a checkout, its modes, the time zone or the locale get into an image: two clones of the project build a layer from
// nothing, and every layer of its chain must have the tree it has here.
//
//   node dist/bench/reproduce/clones.js LAYER CACHE
//
// In the folder of the imgfile, as root; CACHE is that of a finished build, whose downloads are used again.

import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runProgram } from '../../tasks/run/process.ts'
import { chainOf, compareTrees } from './trees.ts'

const [target = 'role:ceph-node', here = ''] = process.argv.slice(2)
const cli = fileURLToPath(new URL('../../tasks/cli.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'img-clones-'))
const surroundings = [
  { at: 'one', umask: '000', env: { TZ: 'Asia/Kathmandu', LC_ALL: 'C.UTF-8', LANG: 'C.UTF-8' } },
  {
    at: 'a longer/path of "two"',
    umask: '077',
    env: { TZ: 'America/St_Johns', LC_ALL: 'tr_TR.UTF-8', LANG: 'tr_TR.UTF-8' },
  },
]
process.exitCode = 1
try {
  const chain = await chainOf(cli, target, here)
  const equal: boolean[] = []
  for (const { at, umask, env } of surroundings) {
    const project = join(folder, at)
    const cache = join(folder, 'cache')
    mkdirSync(cache, { recursive: true })
    cpSync(join(here, 'mirror'), join(cache, 'mirror'), { recursive: true })
    const script =
      'umask "$1"; git clone -q . "$2"; cp imgfile.lock "$2"; cd "$2"; "$3" "$4" build "$5" --cache-dir "$6"'
    const argv = ['sh', '-euc', script, 'sh', umask, project, process.execPath, cli, target, cache]
    const { exitCode, stderr } = await runProgram(argv, { env: { HOME: folder, ...env } })
    if (exitCode !== 0) throw new Error(stderr)
    process.stdout.write(`umask ${umask}, ${env.TZ}, ${env.LANG}\n`)
    equal.push(await compareTrees(chain, here, cache))
    rmSync(cache, { recursive: true })
  }
  if (equal.every(Boolean)) process.exitCode = 0
} finally {
  rmSync(folder, { recursive: true, force: true })
}
