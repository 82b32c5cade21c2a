// Our end of the serial port to the agent in the appliance.

import { appendFileSync } from 'node:fs'
import type { Duplex } from 'node:stream'
import { ImgError } from '../errors.ts'
import { programPath, type ProgramOptions, type ProgramResult, type ProgramStream } from '../run/process.ts'
import { decodeFrames, encodeFrame, orders, replies, type Frame } from './libguestfs-agent.ts'
import type { Machine } from './namespace-session.ts'

export interface Agent extends Machine {
  /** False when it ended instead. */
  readonly ready: Promise<boolean>
  quit(): void
}

/** A program whose appliance ended has ended too, with what guestfish said last on its standard error. */
export function talkToAgent(port: Duplex, ended: Promise<string>): Agent {
  const running = new Map<number, Running>()
  let count = 0
  let received: Buffer = Buffer.alloc(0)
  let onReady: (isReady: boolean) => void = nothing
  const ready = new Promise<boolean>((resolve) => (onReady = resolve))
  let lastWords: string | undefined
  const end = (words: string): void => {
    lastWords = words
    onReady(false)
    for (const one of running.values()) giveUp(one, words)
    running.clear()
  }
  void ended.then(end)
  /** What is no frame was written by somebody else than the agent: nothing behind it can be read. */
  const takeFrames = (): readonly Frame[] => {
    try {
      const { frames, rest } = decodeFrames(received)
      received = rest
      return frames
    } catch (error) {
      port.destroy()
      end(`its port had ${(error as Error).message}`)
      return []
    }
  }
  port.on('error', () => undefined)
  port.on('data', (part: Buffer) => {
    received = received.length === 0 ? part : Buffer.concat([received, part])
    for (const { kind, id, data } of takeFrames()) {
      if (kind === replies.ready) onReady(true)
      if (kind === replies.stdout) running.get(id)?.onOutput(data, 'stdout')
      if (kind === replies.stderr) running.get(id)?.onOutput(data, 'stderr')
      if (kind !== replies.exit) continue
      running.get(id)?.onExit(Number(data.toString()))
      running.delete(id)
    }
  })
  const start = (argv: readonly string[], options: ProgramOptions, one: Running): number => {
    count += 1
    if (lastWords !== undefined) giveUp(one, lastWords)
    else running.set(count, one)
    const env = { PATH: programPath, ...options.env }
    const { input } = options
    const order = {
      argv,
      env,
      ...(input === undefined ? {} : { input: Buffer.from(input).toString('base64') }),
    }
    port.write(encodeFrame(orders.start, count, Buffer.from(JSON.stringify(order))))
    return count
  }
  const kill = (id: number): void => void port.write(encodeFrame(orders.kill, id))
  return {
    ready,
    quit: () => void port.write(encodeFrame(orders.quit, 0)),
    run: (argv, options = {}) => runThere(argv, options, { start, kill }),
    stream: (argv, options = {}) => streamThere(argv, options, { start, kill, port }),
  }
}

interface Running {
  onOutput(data: Buffer, stream: 'stdout' | 'stderr'): void
  onExit(exitCode: number): void
}

function giveUp(one: Running, words: string): void {
  one.onOutput(Buffer.from(`the appliance of libguestfs ended\n${words}\n`), 'stderr')
  one.onExit(255)
}

interface There {
  readonly start: (argv: readonly string[], options: ProgramOptions, one: Running) => number
  readonly kill: (id: number) => void
}

function runThere(argv: readonly string[], options: ProgramOptions, there: There): Promise<ProgramResult> {
  const { log, signal, onOutput } = options
  const kept = { stdout: [] as Buffer[], stderr: [] as Buffer[] }
  return new Promise((resolve, reject) => {
    const onAbort = (): void => there.kill(id)
    const id = there.start(argv, options, {
      onOutput: (data, stream) => {
        kept[stream].push(data)
        if (log !== undefined) appendFileSync(log, data)
        onOutput?.(data.toString(), stream)
      },
      onExit: (exitCode) => {
        signal?.removeEventListener('abort', onAbort)
        if (signal?.aborted === true) return reject(interrupted(argv))
        const [stdout, stderr] = [kept.stdout, kept.stderr].map((parts) => Buffer.concat(parts).toString())
        resolve({ exitCode, stdout: stdout ?? '', stderr: stderr ?? '', timedOut: false })
      },
    })
    if (signal?.aborted === true) onAbort()
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

/** The port is not read while the reader is behind, so that nothing piles up here. */
function streamThere(
  argv: readonly string[],
  options: Pick<ProgramOptions, 'env' | 'signal'>,
  there: There & { readonly port: Duplex },
): ProgramStream {
  const { port, start } = there
  const waiting: Buffer[] = []
  const errors: Buffer[] = []
  let isOver = false
  let isGivenUp = false
  let onMore = nothing
  const ended = new Promise<ProgramResult>((resolve, reject) => {
    start(argv, options, {
      onOutput: (data, stream) => {
        if (stream === 'stderr') errors.push(data)
        else if (!isGivenUp && waiting.push(data) > 64) port.pause()
        onMore()
      },
      onExit: (exitCode) => {
        isOver = true
        onMore()
        if (options.signal?.aborted === true) return reject(interrupted(argv))
        resolve({ exitCode, stdout: '', stderr: Buffer.concat(errors).toString(), timedOut: false })
      },
    })
  })
  async function* output(): AsyncGenerator<Buffer> {
    try {
      for (;;) {
        const data = waiting.shift()
        if (data !== undefined) {
          if (waiting.length < 16) port.resume()
          yield data
        } else if (isOver) return
        else await new Promise<void>((resolve) => (onMore = resolve))
      }
    } finally {
      // Everybody else waits for the port, too.
      isGivenUp = true
      port.resume()
    }
  }
  return { output: output(), ended }
}

const nothing = (): void => undefined

const interrupted = (argv: readonly string[]): ImgError =>
  new ImgError('INTERRUPTED', `${argv[0]} was interrupted`)
