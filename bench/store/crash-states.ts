// What a power cut may leave of stores and a remote, at every moment: of what was not synced, anything may be there or
// not, in any combination, and a write may be there by half or as zeros. Each state is laid out in a folder that should
// be in memory and asked what is in it: what was promised is there, nothing wrong is believed.
// Usage: crash-states.ts [STATES [FOLDER [SEED]]]; needs strace, and /dev/shm unless told where.

import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pattern } from '../../test/rig/ext4-image.ts'
import { makeRandom } from '../../test/rig/random.ts'
import { checkAfterPowerCut, clear, openScene, parts, type Scene } from './crash-scene.ts'
import { workProgram } from './crash-kill.ts'
import { traceChanges, type Change } from './crash-trace.ts'

interface Pending {
  readonly change: Change
  isDurable: boolean
}

/** Content by path; a folder is undefined. */
type Tree = Map<string, Buffer | undefined>

type Fate = 'kept' | 'lost' | 'half' | 'zeros'

async function main([count = '50000', parent = '/dev/shm', seed = '1']: readonly string[]): Promise<void> {
  const folder = mkdtempSync(join(parent, 'img-crash-'))
  try {
    const disks = [join(folder, 'one'), join(folder, 'two')]
    writeFileSync(disks[0]!, Buffer.concat([pattern(5000, 1), pattern(4000, 2)]))
    writeFileSync(disks[1]!, Buffer.concat([pattern(5000, 1), pattern(4000, 3)]))
    const keyFile = join(folder, 'key.json')
    const scene = await openScene(join(folder, 'scene'), disks, keyFile)
    await clear(scene)
    const argv = [...workProgram, scene.folder, keyFile, ...disks]
    const changes = await traceChanges(scene.folder, join(folder, 'trace'), argv)
    console.log(`${changes.length} changes`)
    const checked = new Set<string>()
    let [states, redone] = [0, 0]
    for (const state of listStates(changes, scene, Number(seed))) {
      states += 1
      const redo = states % 100 === 0
      redone += Number(redo)
      await checkParts(state, { scene, redo, checked }).catch((cause: unknown) => {
        throw new Error(explain(state, changes, scene.folder), { cause })
      })
      if (states % 5000 === 0) console.log(`${states} states, ${checked.size} of their parts differ`)
      if (states === Number(count)) break
    }
    console.log(
      `${states} states, ${redone} of them built upon: nothing promised lost, nothing wrong believed`,
    )
    if (states < Number(count)) throw new Error(`there are only ${states} states`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

interface State {
  /** The last change that was made, by its place. */
  readonly moment: number
  readonly pending: readonly Pending[]
  readonly fates: readonly Fate[]
  readonly tree: Tree
  readonly said: string
}

/** Each once: first what is simple at every moment, then what is random. */
function* listStates(changes: readonly Change[], scene: Scene, seed: number): Generator<State> {
  const random = makeRandom(seed)
  const seen = new Set<string>()
  for (let round = 0; round < roundsMax; round++) {
    for (const [moment, change] of changes.entries()) {
      if (change.do === 'say') continue
      const done = changes.slice(0, moment + 1)
      const said = done.map((one) => (one.do === 'say' ? one.text : '')).join('')
      const pending = settle(done)
      for (const fates of round === 0 ? plainFates(pending) : randomFates(pending, random)) {
        const tree = layOut(pending, fates, scene.folder)
        const name = nameOf(tree, said)
        if (!seen.has(name)) yield { moment, pending, fates, tree, said }
        seen.add(name)
      }
    }
  }
}

function explain({ moment, pending, fates }: State, changes: readonly Change[], folder: string): string {
  const lost = pending.flatMap(({ change }, at) =>
    fates[at] === 'kept' ? [] : [`${fates[at]}: ${show(change, folder)}`],
  )
  return `after change ${moment}, ${show(changes[moment]!, folder)}:\n${lost.join('\n')}`
}

interface Checking {
  readonly scene: Scene
  readonly redo: boolean
  /** What was asked about before: most states differ in one part. */
  readonly checked: Set<string>
}

async function checkParts({ tree, said }: State, { scene, redo, checked }: Checking): Promise<void> {
  for (const part of parts) {
    const top = join(scene.folder, part)
    const own: Tree = new Map([...tree].filter(([path]) => path === top || path.startsWith(`${top}/`)))
    const name = nameOf(own, `${part} ${said}`)
    if (checked.has(name) && !redo) continue
    checked.add(name)
    writeTree(own, scene.folder)
    await checkAfterPowerCut(scene, said, { part, redo })
  }
}

/** Which changes are on the disk whatever happens. A sync of a folder holds for names in it, one of a file for its bytes. */
function settle(changes: readonly Change[]): readonly Pending[] {
  const pending: Pending[] = []
  for (const change of changes) {
    if (change.do === 'sync-file') {
      for (const one of pending)
        if ('file' in one.change && one.change.do !== 'name' && one.change.file === change.file)
          one.isDurable = true
    } else if (change.do === 'sync-folder') {
      for (const one of pending) if (foldersOf(one.change).includes(change.path)) one.isDurable = true
    } else if (change.do !== 'say') pending.push({ change, isDurable: false })
  }
  return pending
}

/** A rename is one thing: it is on the disk in both folders or in none. */
function foldersOf(change: Change): readonly string[] {
  if (change.do === 'rename') return [dirname(change.path), dirname(change.to)]
  return 'path' in change && change.do !== 'sync-folder' ? [dirname(change.path)] : []
}

/** All, none, all but each one, each one alone. */
function* plainFates(pending: readonly Pending[]): Generator<readonly Fate[]> {
  yield fatesOf(pending, () => 'kept')
  yield fatesOf(pending, () => 'lost')
  for (const [one, { isDurable }] of pending.entries()) {
    if (isDurable) continue
    yield fatesOf(pending, (at) => (at === one ? 'lost' : 'kept'))
    yield fatesOf(pending, (at) => (at === one ? 'kept' : 'lost'))
  }
}

function* randomFates(
  pending: readonly Pending[],
  random: (limit: number) => number,
): Generator<readonly Fate[]> {
  for (let given = 0; given < 10; given++) {
    // Most are there, or few: not always about half.
    const share = [10, 50, 90][random(3)]!
    yield fatesOf(pending, (at) => {
      if (random(100) < share) return 'kept'
      return pending[at]!.change.do === 'write' ? (['lost', 'half', 'zeros'] as const)[random(3)]! : 'lost'
    })
  }
}

const fatesOf = (pending: readonly Pending[], of: (at: number) => Fate): readonly Fate[] =>
  pending.map(({ isDurable }, at) => (isDurable ? 'kept' : of(at)))

function layOut(pending: readonly Pending[], fates: readonly Fate[], folder: string): Tree {
  const names = new Map<string, number | 'folder'>([[folder, 'folder']])
  const files = new Map<number, Buffer>()
  const alias = new Map<string, number>()
  for (const [at, { change }] of pending.entries()) {
    const fate = fates[at]!
    // Which file a name stands for is known, whether or not the name itself got to the disk.
    if (change.do === 'name') alias.set(change.path, change.file)
    if (change.do === 'rename') alias.set(change.to, alias.get(change.path)!)
    if (change.do === 'write' || change.do === 'truncate')
      files.set(change.file, changed(files.get(change.file), change, fate))
    else if (fate === 'kept') rename(names, change, alias)
  }
  const tree: Tree = new Map()
  for (const [path, what] of [...names].toSorted(([one], [other]) => (one < other ? -1 : 1))) {
    if (path !== folder && !(tree.has(dirname(path)) && tree.get(dirname(path)) === undefined)) continue
    tree.set(path, what === 'folder' ? undefined : (files.get(what) ?? Buffer.alloc(0)))
  }
  return tree
}

function rename(
  names: Map<string, number | 'folder'>,
  change: Change,
  alias: ReadonlyMap<string, number>,
): void {
  if (change.do === 'mkdir') names.set(change.path, 'folder')
  else if (change.do === 'name') names.set(change.path, change.file)
  else if (change.do === 'unlink' || change.do === 'rmdir') names.delete(change.path)
  else if (change.do === 'rename') {
    names.delete(change.path)
    names.set(change.to, alias.get(change.to)!)
  }
}

function changed(
  before: Buffer = Buffer.alloc(0),
  change: Change & { readonly do: 'write' | 'truncate' },
  fate: Fate,
): Buffer {
  if (fate === 'lost') return before
  if (change.do === 'truncate') {
    const cut = Buffer.alloc(change.size)
    before.copy(cut)
    return cut
  }
  const { at, data } = change
  const length = fate === 'half' ? data.length >> 1 : data.length
  const next = Buffer.alloc(Math.max(before.length, at + length))
  before.copy(next)
  if (fate !== 'zeros') data.copy(next, at, 0, length)
  return next
}

function nameOf(tree: Tree, said: string): string {
  const hash = createHash('sha256').update(said)
  for (const [path, data] of tree) hash.update(`\0${path}\0${data?.length ?? 'folder'}\0`).update(data ?? '')
  return hash.digest('base64')
}

function writeTree(tree: Tree, folder: string): void {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  for (const [path, data] of tree) {
    if (path === folder) continue
    if (data === undefined) mkdirSync(path)
    else writeFileSync(path, data)
  }
}

function show(change: Change, folder: string): string {
  const { data, ...rest } = { data: undefined, ...change }
  return `${JSON.stringify(rest).replaceAll(folder, '')}${data === undefined ? '' : ` ${data.length} bytes`}`
}

const roundsMax = 100

await main(process.argv.slice(2))
