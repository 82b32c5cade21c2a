// Kills a process that stores, records and collects at every system call that changes the store, one run each, and asks
// what is left: what was acknowledged is there, byte for byte, nothing else is believed, and the next run succeeds.
// Then damages files of a store at random places. Usage: jiti bench/store/crash.ts FOLDER [KILLS [CORRUPTIONS]]

import { existsSync } from 'node:fs'
import { cp, mkdir, readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openStore } from '../../cache/open-store.ts'
import { runProgram } from '../../tasks/run/process.ts'
import { exampleRecord } from '../../test/rig/example-record.ts'
import { pattern } from '../../test/rig/ext4-image.ts'
import { makeRandom } from '../../test/rig/random.ts'

const calls = 'openat,write,pwrite64,fsync,rename,link,unlink,mkdir,ftruncate,fchmod,fdatasync,rmdir'

async function main(): Promise<void> {
  const [folder = '', kills = '250', corruptions = '2000'] = process.argv.slice(2)
  await mkdir(folder, { recursive: true })
  const disks = [join(folder, 'one'), join(folder, 'two')]
  await writeFile(disks[0]!, Buffer.concat([pattern(300_000, 1), pattern(300_000, 2)]))
  await writeFile(disks[1]!, Buffer.concat([pattern(300_000, 1), pattern(300_000, 3)]))
  await killEverywhere(join(folder, 'cache'), disks, Number(kills))
  await damageEverywhere(join(folder, 'damaged'), disks, Number(corruptions))
}

async function killEverywhere(dir: string, disks: readonly string[], limit: number): Promise<void> {
  const { first, total } = await countCalls(dir, disks)
  const step = Math.max(1, Math.floor((total - first) / limit))
  let points = 0
  for (let when = first; when <= total; when += step) {
    await rm(dir, { recursive: true, force: true })
    const { stdout } = await work(dir, disks, ['-e', `inject=${calls}:signal=KILL:when=${when}`])
    await checkAfterKill(dir, disks, stdout).catch((cause: unknown) => {
      throw new Error(`killed at call ${when} after ${JSON.stringify(stdout)}`, { cause })
    })
    points++
  }
  console.log(
    `killed at ${points} of ${total - first + 1} calls: nothing acknowledged lost, nothing wrong read`,
  )
}

/** One thread for files, since strace counts calls by thread. */
function work(
  dir: string,
  disks: readonly string[],
  inject: readonly string[],
): ReturnType<typeof runProgram> {
  const argv = ['strace', '-f', '-qq', '-o', `${dir}.trace`, '-e', `trace=${calls}`, ...inject]
  const program = [
    process.execPath,
    join('node_modules', '.bin', 'jiti'),
    join('bench', 'store', 'crash-work.ts'),
  ]
  const env = { UV_THREADPOOL_SIZE: '1', PATH: process.env['PATH'] ?? '' }
  return runProgram([...argv, ...program, dir, ...disks], { env })
}

/** Of the thread with the most calls, and its first one on the cache: before that nothing can be broken. */
async function countCalls(
  dir: string,
  disks: readonly string[],
): Promise<{ readonly first: number; readonly total: number }> {
  await rm(dir, { recursive: true, force: true })
  const { exitCode, stderr } = await work(dir, disks, [])
  if (exitCode !== 0) throw new Error(stderr)
  const threads = new Map<string, string[]>()
  for (const line of (await readFile(`${dir}.trace`, 'utf8')).split('\n')) {
    const thread = /^\d+/.exec(line)?.[0]
    if (thread !== undefined) threads.set(thread, [...(threads.get(thread) ?? []), line])
  }
  const [busiest] = [...threads.values()].toSorted((one, other) => other.length - one.length)
  const first = busiest!.findIndex((line) => line.includes(`"${dir}`)) + 1
  return { first: Math.max(1, first), total: busiest!.length }
}

async function checkAfterKill(dir: string, disks: readonly string[], said: string): Promise<void> {
  if (!existsSync(dir)) return
  const store = await openStore({ dir, now: () => 0 })
  try {
    const problems = await store.verify({ readData: true })
    if (problems.some(({ kind }) => kind !== 'index')) throw new Error(JSON.stringify(problems))
    for (const [number, path] of disks.entries()) {
      const found = await store.find(String(number + 1).repeat(64))
      if (found.hit) await mustBe(store, found.record.artifact['disk.raw']!, path)
      // The first one may be removed by the collection that follows the second.
      else if (said.includes(`saved ${number}`) && number === 1) throw new Error(`lost: ${found.reason}`)
    }
    for (const [number, path] of disks.entries()) {
      const artifact = await store.put({ 'disk.raw': path })
      await store.save(exampleRecord({ key: String(number + 1).repeat(64), artifact }))
      await mustBe(store, artifact['disk.raw']!, path)
    }
  } finally {
    await store.close()
  }
}

type OpenStore = Awaited<ReturnType<typeof openStore>>

async function mustBe(
  store: OpenStore,
  file: Parameters<OpenStore['restore']>[0],
  path: string,
): Promise<void> {
  const out = `${path}.out`
  await store.restore(file, out)
  if (!(await readFile(out)).equals(await readFile(path))) throw new Error(`wrong bytes of ${path}`)
}

async function damageEverywhere(dir: string, disks: readonly string[], count: number): Promise<void> {
  const random = makeRandom(1)
  const whole = `${dir}.whole`
  await rm(whole, { recursive: true, force: true })
  let store = await openStore({ dir: whole, now: () => 0 })
  for (const [number, path] of disks.entries())
    await store.save(
      exampleRecord({ key: String(number + 1).repeat(64), artifact: await store.put({ 'disk.raw': path }) }),
    )
  await store.close()
  const seen = { found: 0, harmless: 0, hits: 0, misses: 0 }
  for (let round = 0; round < count; round++) {
    await rm(dir, { recursive: true, force: true })
    await cp(whole, dir, { recursive: true })
    const files = (await readdir(dir, { recursive: true, withFileTypes: true })).filter(
      (entry) => entry.isFile() && /content-v2|index-v5|footers/.test(entry.parentPath),
    )
    const { parentPath, name } = files[random(files.length)]!
    await damage(join(parentPath, name), random)
    store = await openStore({ dir, now: () => 0 })
    const problems = await store.verify({ readData: true })
    seen[problems.length > 0 ? 'found' : 'harmless']++
    for (const [number, path] of disks.entries()) {
      const found = await store.find(String(number + 1).repeat(64))
      // A hit that turns out damaged is refused, never wrong.
      const error = found.hit
        ? await mustBe(store, found.record.artifact['disk.raw']!, path).catch((cause: Error) => cause)
        : undefined
      if (error !== undefined && !error.message.startsWith('cannot restore')) throw error
      seen[found.hit && error === undefined ? 'hits' : 'misses']++
    }
    await store.repair()
    const left = (await store.verify({ readData: true })).filter(({ kind }) => kind !== 'index')
    if (left.length > 0) throw new Error(`round ${round}, ${name}: left ${JSON.stringify(left)}`)
    await store.close()
  }
  console.log(`${count} corruptions: ${JSON.stringify(seen)}; no wrong byte, repair left nothing`)
}

async function damage(path: string, random: (limit: number) => number): Promise<void> {
  const bytes = await readFile(path)
  const kind = random(5)
  if (kind === 0) return truncate(path, random(Math.max(1, bytes.length)))
  if (kind === 1) return rm(path)
  if (kind === 2) bytes.fill(0, random(bytes.length))
  else for (let change = 0; change < kind - 1; change++) bytes[random(bytes.length)]! ^= 1 << random(8)
  await writeFile(path, bytes)
}

await main()
