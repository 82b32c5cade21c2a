// Lets somebody else's code run in our process for a while: with a time limit, without process.exit, and with stdout
// turned to stderr, since what we print there is read by programs.

import { Worker } from 'node:worker_threads'
import { ImgError } from '../errors.ts'

export interface Guard {
  /** What runs, for messages. */
  readonly name: string
  readonly limitMs: number
  readonly signal: AbortSignal
}

export async function guarded<T>(run: () => Promise<T>, guard: Guard): Promise<T> {
  const limit = startWatchdog(guard)
  const interrupt = untilInterrupted(guard)
  const { exited, restore } = takeOver(guard.name)
  try {
    return await Promise.race([run(), exited, limit.reached, interrupt.reached])
  } finally {
    limit.stop()
    interrupt.stop()
    restore()
  }
}

interface Ending {
  /** Rejects, or never settles. */
  readonly reached: Promise<never>
  readonly stop: () => void
}

function untilInterrupted({ name, signal }: Guard): Ending {
  const { promise, reject } = withResolvers()
  const interrupt = (): void => reject(new ImgError('INTERRUPTED', `loading ${name} was interrupted`))
  if (signal.aborted) interrupt()
  signal.addEventListener('abort', interrupt)
  return { reached: promise, stop: () => signal.removeEventListener('abort', interrupt) }
}

const hung = (name: string, limitMs: number): ImgError =>
  new ImgError('IMGFILE_HUNG', hungMessage(name, limitMs), { hint: hungHint, path: name })

const hungMessage = (name: string, limitMs: number): string =>
  `${name} was not loaded within ${limitMs / 1000} s`
const hungHint =
  'look for an await that never ends or an endless loop; IMG_LOAD_TIMEOUT=60 allows it 60 seconds'

/**
 * A second thread counts the time, since a loop without an await blocks timers and signals alike: that is killed a little
 * later. It cannot choose the exit status: there is none but that of a killed process.
 *
 * Only time in which the code could run is counted: not what its threads waited for a processor (proc(5), schedstat), so
 * that a machine with too much to do does not end it, and not what the process was stopped or asleep.
 */
function startWatchdog({ name, limitMs }: Guard): Ending {
  const text = `error IMGFILE_HUNG: ${hungMessage(name, limitMs)}\n  in ${name}\n  hint ${hungHint}\n`
  const worker = new Worker(watchdogSource, { eval: true, workerData: { text, limitMs, graceMs } })
  const { promise, reject } = withResolvers()
  worker.once('message', () => reject(hung(name, limitMs)))
  return { reached: promise, stop: () => void worker.terminate() }
}

const graceMs = 3000

const watchdogSource = `
const { readdirSync, readFileSync, writeSync } = require('node:fs')
const { parentPort, workerData } = require('node:worker_threads')
const { text, limitMs, graceMs } = workerData

/** Milliseconds all threads so far were ready to run and did not; none where the kernel does not count them. */
function waitedMs() {
  const ofThread = (thread) => {
    try {
      return Number(readFileSync('/proc/self/task/' + thread + '/schedstat', 'utf8').split(' ')[1]) / 1e6
    } catch {
      // It ended since it was listed.
      return 0
    }
  }
  return readdirSync('/proc/self/task').reduce((sum, thread) => sum + ofThread(thread), 0)
}

const tick = Math.min(100, limitMs / 2)
const count = { last: performance.now(), waited: waitedMs(), passed: 0, isOver: false }
setInterval(() => {
  const [now, waited] = [performance.now(), waitedMs()]
  count.passed += Math.max(0, Math.min(now - count.last, 2 * tick) - Math.max(0, waited - count.waited))
  count.last = now
  count.waited = waited
  if (count.passed >= limitMs && !count.isOver) {
    count.isOver = true
    parentPort.postMessage('over')
  }
  if (count.passed < limitMs + graceMs) return
  writeSync(2, text)
  process.kill(process.pid, 'SIGKILL')
}, tick)`

/** Replaces what would end the process or spoil its output; `exited` rejects when the code wanted to end it. */
function takeOver(name: string): { exited: Promise<never>; restore: () => void } {
  const { promise, reject } = withResolvers()
  const exit = process.exit.bind(process)
  const write = process.stdout.write.bind(process.stdout)
  process.exit = (code) => {
    const error = new ImgError('IMGFILE_THREW', `${name} called process.exit(${code ?? ''})`, {
      hint: 'throw an error instead, so that it says why',
      path: name,
    })
    reject(error)
    throw error
  }
  process.stdout.write = process.stderr.write.bind(process.stderr)
  return {
    exited: promise,
    restore: () => {
      process.exit = exit
      process.stdout.write = write
    },
  }
}

function withResolvers(): { promise: Promise<never>; reject: (error: Error) => void } {
  let reject: ((error: Error) => void) | undefined
  const promise = new Promise<never>((_resolve, refuse) => (reject = refuse))
  // It may lose the race, and a rejection nobody waits for would end the process.
  promise.catch(() => undefined)
  return { promise, reject: (error) => reject?.(error) }
}
