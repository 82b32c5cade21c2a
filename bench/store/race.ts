// Who is in a store at once. First processes that build the same layer and one of their own each, round after round;
// in every fourth round the one that holds the layer's lock is killed. Then storing, recording, sending, fetching,
// restoring and verifying while collections run: nothing kept is lost, nothing wrong is read.
// Usage: race.ts FOLDER [PROCESSES [ROUNDS [COLLECTIONS]]]; by jiti it is run from the repository's folder.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { openStore, type LocalStore } from '../../cache/open-store.ts'
import { pattern } from '../../test/rig/ext4-image.ts'
import { makeRandom } from '../../test/rig/random.ts'
import { keyOf, mustBe, openScene, publish, pull, recordOf } from './crash-scene.ts'

async function main([
  folder = '',
  processes = '8',
  rounds = '50',
  collections = '500',
]: readonly string[]): Promise<void> {
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  await buildTogether(folder, Number(processes), Number(rounds))
  await collectBeside(folder, Number(collections))
}

interface Builder {
  readonly child: ChildProcess
  /** Resolves with the next line that begins like this. */
  readonly says: (start: string) => Promise<string>
}

async function buildTogether(folder: string, processes: number, rounds: number): Promise<void> {
  const dir = join(folder, 'together')
  let builders = Array.from({ length: processes }, () => startBuilder(dir, folder))
  let killed = 0
  for (let round = 0; round < rounds; round++) {
    const isKilling = round % 4 === 1
    const ended = builders.map(({ says }) => says(`round ${round} `))
    const holds = builders.map(async ({ says }, at) => says(`holds ${round}`).then(() => at))
    for (const [at, { child }] of builders.entries()) child.stdin!.write(`${round} ${at}\n`)
    let gone: number | undefined
    if (isKilling) {
      gone = await Promise.race(holds)
      const { child } = builders[gone]!
      child.kill('SIGKILL')
      await once(child, 'exit')
      killed += 1
    }
    const lines = await Promise.all(ended.filter((_, at) => at !== gone))
    const built = lines.filter((line) => line.endsWith(' built')).length
    // Killed after it had recorded it, or before.
    if (built !== 1 && !(isKilling && built === 0)) throw new Error(`round ${round}: built ${built} times`)
    builders = builders.map((builder, at) => (at === gone ? startBuilder(dir, folder) : builder))
  }
  for (const { child } of builders) child.stdin!.end()
  await Promise.all(builders.map(async ({ child }) => child.exitCode ?? once(child, 'exit')))
  const store = await openStore({ dir, now: () => 0 })
  await store.writeValue('x', '')
  const problems = await store.verify({ readData: true })
  if (problems.length > 0) throw new Error(JSON.stringify(problems))
  for (let round = 0; round < rounds; round++) {
    const found = await store.find(keyOf(round))
    if (!found.hit) throw new Error(`round ${round} is lost: ${found.reason}`)
    await mustBe({ folder }, store, { record: found.record, path: await makeDisk(folder, round) })
  }
  await store.close()
  console.log(
    `${processes} processes, ${rounds} rounds, ${killed} holders killed: each built once, none lost`,
  )
}

const own = fileURLToPath(import.meta.url)
const work = own.endsWith('.js')
  ? [own.replace('race.js', 'race-work.js')]
  : ['node_modules/.bin/jiti', own.replace('race.ts', 'race-work.ts')]

function startBuilder(dir: string, folder: string): Builder {
  const child = spawn(process.execPath, [...work, dir, folder], { stdio: ['pipe', 'pipe', 'inherit'] })
  const said: string[] = []
  const waiting = new Set<{ readonly start: string; readonly found: (line: string) => void }>()
  createInterface({ input: child.stdout }).on('line', (line) => {
    said.push(line)
    for (const one of waiting) if (line.startsWith(one.start)) one.found(line)
  })
  const says = (start: string): Promise<string> =>
    new Promise((found) => {
      const line = said.find((text) => text.startsWith(start))
      if (line === undefined) waiting.add({ start, found })
      else found(line)
    })
  return { child, says }
}

const diskPath = (folder: string, number: number): string => join(folder, `disk-${number}`)

async function makeDisk(folder: string, number: number): Promise<string> {
  const path = diskPath(folder, number)
  await writeFile(path, Buffer.concat([pattern(150_000, 0), pattern(150_000, number + 1)]))
  return path
}

async function collectBeside(folder: string, collections: number): Promise<void> {
  const random = makeRandom(1)
  const scene = await openScene(join(folder, 'beside'), [], join(folder, 'key.json'))
  const open = (): Promise<LocalStore> => openStore({ dir: join(scene.folder, 'cache'), now: () => 0 })
  const done: Record<string, number> = {}
  let outs = 0
  const out = (): string => `out-${(outs += 1)}`
  const count = (what: string): void => void (done[what] = (done[what] ?? 0) + 1)
  let latest = 0
  const store = async (number: number): Promise<void> => {
    const at = await open()
    const path = await makeDisk(folder, number)
    const record = recordOf(number, await at.put({ 'disk.raw': path }))
    await at.save(record)
    latest = Math.max(latest, number)
    await mustBe(scene, at, { record, path, name: out() })
    count('stored')
    await publish(scene, at, record)
    count('sent')
    await at.close()
  }
  /** What is found stays for as long as one is in the store, whatever is collected. */
  const read = async (number: number): Promise<void> => {
    const at = await open()
    await at.writeValue('reader', String(number))
    const found = await at.find(keyOf(number))
    if (found.hit)
      await mustBe(scene, at, { record: found.record, path: diskPath(folder, number), name: out() })
    count(found.hit ? 'read' : 'missed')
    await at.close()
  }
  const fetch = async (number: number): Promise<void> => {
    const at = await open()
    const record = await pull(scene, at, number)
    await mustBe(scene, at, { record, path: diskPath(folder, number), name: out() })
    count('fetched')
    await at.close()
  }
  const collect = async (): Promise<void> => {
    const at = await open()
    const { removed } = await at.collect({ last: 1, days: 0, now: 1, dryRun: false })
    count(removed.packs > 0 ? 'collected' : 'collected nothing')
    await at.close()
  }
  await store(0)
  for (let round = 1; round <= collections; round++) {
    await Promise.all([store(round), read(round - 1), fetch(random(round)), read(random(round)), collect()])
    const at = await open()
    const found = await at.find(keyOf(latest))
    if (!found.hit) throw new Error(`round ${round}: the newest is lost: ${found.reason}`)
    await mustBe(scene, at, { record: found.record, path: diskPath(folder, latest), name: out() })
    if (round % 50 === 0) {
      const problems = await at.verify({ readData: true })
      if (problems.length > 0) throw new Error(`round ${round}: ${JSON.stringify(problems)}`)
    }
    await at.close()
  }
  console.log(
    `${collections} collections beside everything else: ${JSON.stringify(done)}; nothing lost, nothing wrong read`,
  )
}

await main(process.argv.slice(2))
