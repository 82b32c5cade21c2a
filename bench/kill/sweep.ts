// kill -9 of `img` at random moments over a whole chain of layers. After each: the kernel holds nothing of it, and what
// lies in the cache is gone when the next run has begun. At the end every layer has the tree of an undisturbed build.
//
//   node dist/bench/kill/sweep.js LAYER TIMES UNDISTURBED
//
// In the folder of the imgfile; UNDISTURBED is the cache of a finished build. What that downloaded is used again.

import { spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { leftovers } from '../../test/rig/leftovers.ts'
import { chainOf, compareTrees, newest } from '../reproduce/trees.ts'

const [target = 'role:ceph-node', times = '30', undisturbed = ''] = process.argv.slice(2)
const cli = fileURLToPath(new URL('../../tasks/cli.js', import.meta.url))

interface Ended {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

const folder = mkdtempSync(join(tmpdir(), 'img-kill-'))
const cache = join(folder, 'cache')
process.exitCode = 1
try {
  await sweep()
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function sweep(): Promise<void> {
  const names = await chainOf(cli, target, undisturbed)
  const chain = [...(await newest(undisturbed, names)).values()].map(({ layer, durations }) => ({
    name: layer,
    ms: durations['total'] ?? 1000,
  }))
  mkdirSync(cache)
  cpSync(join(undisturbed, 'mirror'), join(cache, 'mirror'), { recursive: true })
  const total = chain.reduce((sum, { ms }) => sum + ms, 0)
  const problems: string[] = []
  let done = 0
  let late = 0
  for (const [index, { name, ms }] of chain.entries()) {
    const last = index === chain.length - 1
    const share = last ? Number(times) - done : Math.max(1, Math.round((Number(times) * ms) / total))
    let isBuilt = false
    for (let kill = 0; kill < share; kill++, done++) {
      const after = Math.random() * ms
      const { isLate, found } = await killOnce(name, after, isBuilt)
      late += isLate ? 1 : 0
      isBuilt ||= isLate
      problems.push(...found.map((one) => `${name} after ${Math.round(after)} ms: ${one}`))
      say(
        `${done + 1} ${name} after ${Math.round(after)} ms${isLate ? ', too late' : ''}: ${found.length} left`,
      )
    }
    const { status, stderr } = await run(['build', name]).ended
    if (status !== 0) problems.push(`${name} does not build any more: ${stderr}`)
  }
  if (!(await compareTrees(names, undisturbed, cache))) problems.push('not every layer has its tree')
  problems.push(...(await leftovers(folder)), ...halves().map((path) => `${path} is still there`))
  for (const problem of problems) say(problem)
  say(`${done} kills, ${late} too late, ${problems.length} problems; ${chain.length} trees compared`)
  if (problems.length === 0) process.exitCode = 0
}

/** Kills a build, of what is built already once more, and looks again when the next one has begun. */
async function killOnce(
  name: string,
  after: number,
  isBuilt: boolean,
): Promise<{ readonly isLate: boolean; readonly found: readonly string[] }> {
  const args = ['build', name, ...(isBuilt ? ['--check'] : [])]
  const build = run(args)
  const isLate = (await Promise.race([build.ended, wait(after, 'now' as const)])) !== 'now'
  build.kill()
  await build.ended
  const held = await leftovers(folder)
  const left = halves()
  const next = run(args)
  // Its first step comes after it has cleared up and locked what it builds.
  await Promise.race([next.ended, next.says(': step 1 ')])
  const remaining = halves().filter((path) => left.includes(path))
  next.kill()
  await next.ended
  return { isLate, found: [...held, ...remaining, ...(await leftovers(folder))] }
}

/** Where the halves of something lie; a whole layer leaves nothing here. */
function halves(): readonly string[] {
  const partial = ['disks', 'tools'].flatMap((name) =>
    list(name)
      .filter((entry) => !/^[0-9a-f]{64}(\.[a-z0-9.]+)?$/.test(entry))
      .map((entry) => join(name, entry)),
  )
  return ['work', 'tmp', 'writing']
    .flatMap((name) => list(name).map((entry) => join(name, entry)))
    .concat(partial)
}

function list(name: string): readonly string[] {
  return existsSync(join(cache, name)) ? readdirSync(join(cache, name)) : []
}

function run(
  args: readonly string[],
  cacheDir = cache,
): {
  readonly ended: Promise<Ended>
  readonly says: (text: string) => Promise<void>
  readonly kill: () => void
} {
  const child = spawn(process.execPath, [cli, ...args, '--cache-dir', cacheDir], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const text = { stdout: '', stderr: '' }
  const listeners = new Set<() => void>()
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      text[name] += chunk
      for (const listener of listeners) listener()
    })
  }
  return {
    ended: new Promise((resolve) => child.on('close', (status) => resolve({ status, ...text }))),
    says: (wanted) =>
      new Promise((resolve) => {
        const look = (): void => (text.stderr.includes(wanted) ? resolve() : undefined)
        listeners.add(look)
        look()
      }),
    kill: () => void child.kill('SIGKILL'),
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}
