// Random edits in bursts, saved as editors save, while `img watch` keeps a real role up to date. In the end the role has
// the tree of a cold build, nothing was missed, nothing built that nobody needed; it rests when nobody edits, and leaves
// nothing behind, also when it is killed.
//
//   node dist/bench/watch/edits.js LAYER CACHE [EDITS] [SEED] [EVENTS] [COLD]
//
// As root, in the folder of the imgfile; CACHE is that of a finished build, and is only read. EVENTS is a file to write
// all events to; COLD another cache whose tools and first layers the cold build may begin with.

import { readdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { leftovers } from '../../test/rig/leftovers.ts'
import { makeRandom } from '../../test/rig/random.ts'
import { runProgram } from '../../tasks/run/process.ts'
import { openEditor } from './editors.ts'
import { findSuperfluous, openOracle } from './oracle.ts'
import { copyProject, type ProjectCopy } from './project-copy.ts'
import { nextState, openStates, type State } from './states.ts'
import { startWatched, ticksOf, type Watched } from './watched.ts'

const [target = 'role:openstack-network', finished = '', edits = '100', seed = '1', log, begun] =
  process.argv.slice(2)
const cli = fileURLToPath(new URL('../../tasks/cli.js', import.meta.url))
const copy = copyProject(finished, begun)
const toKill: Watched[] = []

async function run({ folder, root, cache, cold }: ProjectCopy): Promise<void> {
  const started = Date.now()
  const oracle = openOracle(cli, target, copy)
  const filesOf = openStates(root, target)
  const editor = openEditor(root, filesOf({}))
  const problems: string[] = []
  const watching = { cli, root, cache, layer: target, ...(log === undefined ? {} : { log: resolve(log) }) }
  const watched = startWatched(watching)
  toKill.push(watched)
  await watched.next(0, ({ event }) => event === 'watching')
  await watched.quiet()
  const bursts = await editAtRandom(watched, {
    save: (state, choose) => editor.save(filesOf(state), choose),
    onQuiet: async (state) => {
      const action = await actionOf(root, cache)
      if (!isBroken(state) && action !== 'reuse') problems.push(`missed: ${target} is ${action} at rest`)
    },
  })
  const ticks = ticksOf(watched.pid)
  await wait(idleMs)
  const used = ticksOf(watched.pid) - ticks
  if (used > 2) problems.push(`${used / 100} s of processor time in ${idleMs / 1000} s without an edit`)
  watched.interrupt()
  const status = await watched.ended
  if (status !== 130) problems.push(`Ctrl-C ended it with ${status}`)
  problems.push(...(await leftovers(folder)), ...remains(cache))
  const [warm, fresh] = [await treeOf(root, cache), await treeOf(root, cold)]
  if (warm !== fresh) problems.push(`the tree is ${warm}, of a cold build ${fresh}`)
  problems.push(...(await findSuperfluous(watched.events, editor.history, oracle)))
  problems.push(
    ...(await killWatch({
      ...watching,
      save: () => editor.save(filesOf({ resource: -1 }), () => 0),
    })),
  )
  for (const problem of problems) process.stdout.write(`${problem}\n`)
  const count = (wanted: string): number =>
    watched.events.filter(({ event, outcome }) => event === 'layer-end' && outcome?.status === wanted).length
  const minutes = Math.round((Date.now() - started) / 60_000)
  process.stdout.write(
    `${edits} edits in ${bursts} bursts, ${count('built')} built, ${count('cancelled')} cancelled, ` +
      `${used} ticks at rest, ${problems.length} problems; tree ${fresh?.slice(0, 12)}; ${minutes} min\n`,
  )
  if (problems.length === 0) process.exitCode = 0
}

const idleMs = 30_000

const isBroken = ({ isBroken: broken, isImgfileBroken }: State): boolean =>
  broken === true || isImgfileBroken === true

/** Number of bursts. Between two is a moment, in which something may be built, or as long as it takes. */
async function editAtRandom(
  watched: Watched,
  {
    save,
    onQuiet,
  }: {
    readonly save: (state: State, choose: (below: number) => number) => Promise<void>
    readonly onQuiet: (state: State) => Promise<void>
  },
): Promise<number> {
  const choose = makeRandom(Number(seed))
  const states: State[] = [{}]
  let bursts = 0
  for (let number = 1; number <= Number(edits); bursts += 1) {
    for (let left = 1 + choose(14); left > 0 && number <= Number(edits); left -= 1, number += 1) {
      // The last one leaves a state that was never there, and is whole.
      const isLast = number === Number(edits)
      const state = isLast
        ? { ...states.at(-1), isBroken: false, isImgfileBroken: false, resource: number }
        : nextState(states, number, choose)
      states.push(state)
      await save(state, choose)
      await wait(choose(4) * choose(200))
    }
    if (number > Number(edits) || choose(2) === 0) {
      await watched.quiet()
      await onQuiet(states.at(-1) ?? {})
    } else await wait(choose(25_000))
  }
  return bursts
}

async function actionOf(root: string, cache: string): Promise<string> {
  const argv = [process.execPath, cli, 'plan', target, '--json', '--cache-dir', cache]
  const { exitCode, stdout, stderr } = await runProgram(argv, { cwd: root })
  if (exitCode !== 0) return stderr
  const { layers } = JSON.parse(stdout) as { layers: readonly { name: string; action: string }[] }
  return layers.find(({ name }) => name === target)?.action ?? 'not in the plan'
}

async function treeOf(root: string, cache: string): Promise<string | undefined> {
  const argv = [process.execPath, cli, 'build', target, '--json', '--yes', '--cache-dir', cache]
  const { exitCode, stdout, stderr } = await runProgram(argv, { cwd: root })
  if (exitCode !== 0) throw new Error(stderr)
  const { layers } = JSON.parse(stdout) as { layers: readonly { name: string; treeDigest?: string }[] }
  return layers.find(({ name }) => name === target)?.treeDigest
}

/** Folders of builds that are over. */
const remains = (cache: string): readonly string[] =>
  ['work', 'tmp', 'writing'].flatMap((name) =>
    readdirSync(join(cache, name)).map((entry) => `${name}/${entry} is still there`),
  )

/** While it builds; the next one has to remove what that left. */
async function killWatch({
  save,
  ...watching
}: Parameters<typeof startWatched>[0] & { readonly save: () => Promise<void> }): Promise<readonly string[]> {
  const watched = startWatched(watching)
  toKill.push(watched)
  await watched.next(0, ({ event }) => event === 'watching')
  await save()
  await watched.next(0, ({ event, label }) => event === 'step-start' && label?.startsWith('puppet') === true)
  await wait(5000)
  watched.kill()
  await watched.ended
  const held = await leftovers(copy.folder)
  const next = startWatched(watching)
  toKill.push(next)
  await next.next(0, ({ event }) => event === 'watching')
  next.interrupt()
  await next.ended
  return [...held, ...(await leftovers(copy.folder)), ...remains(watching.cache)].map(
    (one) => `after kill -9: ${one}`,
  )
}

process.exitCode = 1
try {
  await run(copy)
} finally {
  for (const watched of toKill) {
    watched.kill()
    await watched.ended
  }
  rmSync(copy.folder, { recursive: true, force: true })
}
