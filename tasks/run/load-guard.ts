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
  const watchdog = startWatchdog(guard)
  const { exited, restore } = takeOver(guard.name)
  const limit = deadline(guard)
  try {
    const result = await Promise.race([run(), exited, limit.reached])
    return result
  } finally {
    limit.stop()
    restore()
    void watchdog.terminate()
  }
}

/** A promise that rejects after the limit or when the user interrupts. */
function deadline({ name, limitMs, signal }: Guard): { reached: Promise<never>; stop: () => void } {
  const { promise, reject } = withResolvers()
  const timer = setTimeout(() => reject(hung(name, limitMs)), limitMs)
  const interrupt = (): void => reject(new ImgError('INTERRUPTED', `loading ${name} was interrupted`))
  if (signal.aborted) interrupt()
  signal.addEventListener('abort', interrupt)
  return {
    reached: promise,
    stop: () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', interrupt)
    },
  }
}

const hung = (name: string, limitMs: number): ImgError =>
  new ImgError('IMGFILE_HUNG', hungMessage(name, limitMs), { hint: hungHint, path: name })

const hungMessage = (name: string, limitMs: number): string =>
  `${name} was not loaded within ${limitMs / 1000} s`
const hungHint =
  'look for an await that never ends or an endless loop; IMG_LOAD_TIMEOUT=60 allows it 60 seconds'

/**
 * A loop without an await blocks timers and signals alike, so a second thread waits a little longer than the first
 * and then ends the process. It cannot choose the exit status: there is none but that of a killed process.
 */
function startWatchdog({ name, limitMs }: Guard): Worker {
  const text = `error IMGFILE_HUNG: ${hungMessage(name, limitMs)}\n  in ${name}\n  hint ${hungHint}\n`
  const worker = new Worker(watchdogSource, {
    eval: true,
    workerData: { text, afterMs: limitMs + graceMs },
    stdout: false,
    stderr: false,
  })
  worker.unref()
  return worker
}

/** How long a loaded machine may take to notice that the time is over. */
const graceMs = 3000

const watchdogSource = `
const { workerData } = require('node:worker_threads')
setTimeout(() => {
  require('node:fs').writeSync(2, workerData.text)
  process.kill(process.pid, 'SIGKILL')
}, workerData.afterMs)`

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
