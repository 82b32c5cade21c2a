// Kills a process that stores, records, sends, collects and fetches at its system calls that change something, one run
// each, and asks what is left.

import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { runProgram } from '../../tasks/run/process.ts'
import { check, clear, type Scene } from './crash-scene.ts'

const changing = 'openat,write,pwrite64,fsync,rename,link,unlink,mkdir,ftruncate,fchmod,fdatasync,rmdir'

/** At `limit` calls of the thread that does most of the work with files, and at a quarter of that of the main one. */
export async function killEverywhere(
  scene: Scene,
  { keyFile, limit }: { readonly keyFile: string; readonly limit: number },
): Promise<void> {
  for (const [thread, wanted] of [
    ['files', limit],
    ['main', Math.ceil(limit / 4)],
  ] as const) {
    const calls = await listCalls(scene, keyFile, thread)
    const points = Math.min(wanted, calls.length)
    const killedAt = new Map<string, number>()
    for (let point = 0; point < points; point++) {
      const { name, count } = calls[Math.floor((calls.length * point) / points)]!
      await clear(scene)
      const more = ['-e', `inject=${name}:signal=KILL:when=${count}`]
      const { stdout, exitCode } = await work(scene, { keyFile, thread, more })
      if (exitCode !== 0) killedAt.set(name, (killedAt.get(name) ?? 0) + 1)
      await check(scene, stdout).catch((cause: unknown) => {
        const when = `${thread} thread killed at ${name} ${count} after ${JSON.stringify(stdout)}`
        throw new Error(when, { cause })
      })
    }
    const killed = [...killedAt.values()].reduce((sum, count) => sum + count, 0)
    console.log(
      `killed at ${killed} of ${calls.length} calls of the ${thread} thread: nothing acknowledged lost, nothing wrong read`,
      Object.fromEntries(killedAt),
    )
    // Which names are random changes a few counts; more would mean that they are counted wrongly.
    if (killed < points * 0.95) throw new Error(`only ${killed} of ${points} were killed`)
  }
}

interface Work {
  readonly keyFile: string
  readonly thread: 'files' | 'main'
  readonly more: readonly string[]
}

/** One thread for files, since strace counts calls by thread; without `-f` it sees the main one only. */
function work(scene: Scene, { keyFile, thread, more }: Work): ReturnType<typeof runProgram> {
  const follow = thread === 'files' ? ['-f'] : []
  const argv = ['strace', ...follow, '-qq', '-o', `${scene.folder}.trace`, '-e', `trace=${changing}`, ...more]
  const env = { UV_THREADPOOL_SIZE: '1', PATH: process.env['PATH'] ?? '' }
  return runProgram([...argv, ...workProgram, scene.folder, keyFile, ...scene.disks], { env })
}

/** As this one runs itself: compiled, or by jiti. */
const own = fileURLToPath(import.meta.url)
export const workProgram = own.endsWith('.js')
  ? [process.execPath, own.replace('crash-kill.js', 'crash-work.js')]
  : [process.execPath, 'node_modules/.bin/jiti', own.replace('crash-kill.ts', 'crash-work.ts')]

interface Call {
  readonly name: string
  /** The how many-th of its name and thread: so strace counts. */
  readonly count: number
}

/** The thread's, from its first one below the folder on: before that nothing can be broken. */
async function listCalls(scene: Scene, keyFile: string, thread: Work['thread']): Promise<readonly Call[]> {
  await clear(scene)
  const { exitCode, stderr } = await work(scene, { keyFile, thread, more: [] })
  if (exitCode !== 0) throw new Error(stderr)
  const threads = new Map<string, string[]>()
  for (const line of (await readFile(`${scene.folder}.trace`, 'utf8')).split('\n')) {
    const [, id = 'main', call] = /^(\d+ +)?([a-z]\w+\(.*)/.exec(line) ?? []
    if (call !== undefined) threads.set(id, [...(threads.get(id) ?? []), call])
  }
  const [busiest = []] = [...threads.values()].toSorted((one, other) => other.length - one.length)
  const first = busiest.findIndex((line) => line.includes(`"${scene.folder}`))
  const counts = new Map<string, number>()
  return busiest
    .map((line) => {
      const name = line.slice(0, line.indexOf('('))
      const count = (counts.get(name) ?? 0) + 1
      counts.set(name, count)
      return { name, count, line }
    })
    .slice(first)
    .filter(({ line }) => isChange(line))
}

/** A file opened to be read is none, nor is how a thread wakes another one up. */
const isChange = (line: string): boolean =>
  !/^openat\(.*O_RDONLY|^write\(\d+, "\\1(?:\\0){7}", 8\)/.test(line)
