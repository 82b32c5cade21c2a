// A running machine. Does: start qemu, watch console, report port and limits, end it, say how it ended.
// Does not: judge a power-off, prepare files, retry.

import type { Duplex } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { setTimeout as delay } from 'node:timers/promises'
import { startProgram, type StartedProgram } from '../run/process.ts'
import { waitedMs } from '../run/waited-time.ts'
import { kvmFailure } from './acceleration.ts'
import {
  encodeGuestScript,
  parseGuestFact,
  startPort,
  type GuestFact,
  type GuestScript,
} from './guest-script.ts'
import { machineSockets, makeQemuArguments, portBus, freePorts, type MachineParts } from './qemu-arguments.ts'
import { Console } from './qemu-console.ts'
import type { Ending } from './qemu-ending.ts'
import { Monitor, type MonitorEvent } from './qemu-monitor.ts'
import { readLines } from './read-lines.ts'

export interface MachineOptions {
  readonly parts: MachineParts
  /** Run inside; the machine's credentials must have been made for it. Its facts are collected. */
  readonly script?: GuestScript
  /** Written to the report port once the script has said something. */
  readonly payload?: Uint8Array
  readonly limits?: MachineLimits
  /** Told the serial console's output as it comes. */
  readonly onConsole?: (text: string) => void
  /** Told what comes through the port for raw text. */
  readonly onLog?: (text: string) => void
  /** The command line by which qemu's own is started where its network is; absent: as it is. */
  readonly enter?: (argv: readonly string[]) => readonly string[]
  readonly path?: string
  /** How long a process has waited for a processor so far. */
  readonly waitedMs?: (pid: number) => number
  readonly signal: AbortSignal
}

/** What the machine waits for a processor, where others have it, counts for the total only. */
export interface MachineLimits {
  /** Without a byte on the console or the report port. */
  readonly silenceMs: number
  readonly totalMs: number
  /** From a console that is ready to the script's first fact. */
  readonly answerMs: number
}

export class Machine {
  readonly console: Console = new Console()
  readonly facts: GuestFact[] = []
  /** Resolves when qemu is gone; never rejects. */
  readonly ended: Promise<Ending>
  readonly #options: MachineOptions
  readonly #program: StartedProgram
  readonly #monitor: Monitor
  readonly #timers = new Map<string, NodeJS.Timeout>()
  #ending: Ending | undefined
  #unplugged: (() => void) | undefined

  constructor(options: MachineOptions) {
    this.#options = options
    const terminal = options.parts.console === 'terminal'
    const argv = makeQemuArguments(options.parts)
    this.#program = startProgram(options.enter?.(argv) ?? argv, {
      sockets: terminal ? 2 : options.parts.log === undefined ? 3 : 4,
      terminal,
      ...(options.path === undefined ? {} : { env: { PATH: options.path } }),
      onStderr: (text) => {
        if (text.includes(kvmFailure)) this.#end({ kind: 'kvm-failed' })
      },
    })
    const { sockets } = this.#program
    this.#monitor = new Monitor(sockets[machineSockets.monitor] as Duplex, (event) => this.#onEvent(event))
    const report = sockets[machineSockets.report] as Duplex
    readLines(report, (line) => this.#onReport(line))
    if (options.script !== undefined) report.write(encodeGuestScript(options.script))
    if (!terminal) this.#watchConsole(sockets[machineSockets.console] as Duplex)
    if (options.parts.log !== undefined) this.#watchLog(sockets[machineSockets.log] as Duplex)
    const { limits } = options
    if (limits !== undefined) {
      this.#limit('total', limits.totalMs, { kind: 'too-long', seconds: limits.totalMs / 1000 })
      this.#heard()
    }
    const stop = (): void => this.#end({ kind: 'stopped' })
    if (options.signal.aborted) stop()
    options.signal.addEventListener('abort', stop)
    this.ended = this.#program.exited.then((exit) => {
      options.signal.removeEventListener('abort', stop)
      for (const timer of this.#timers.values()) clearTimeout(timer)
      const how = exit.signal === undefined ? `ended with ${exit.exitCode}` : `was killed by ${exit.signal}`
      return this.#ending ?? { kind: 'died', how, stderr: exit.stderr.trim() }
    })
    void this.#begin()
  }

  /** Pulls the plug. */
  async stop(): Promise<Ending> {
    this.#end({ kind: 'stopped' })
    return this.ended
  }

  async #begin(): Promise<void> {
    try {
      await this.#monitor.execute('qmp_capabilities')
      if (this.#options.script !== undefined) await this.#plug()
    } catch (error) {
      // When qemu is gone, `ended` says how; a refusal would leave the machine waiting for nothing.
      if (!this.#monitor.closed) this.#end({ kind: 'died', how: 'refused a command', stderr: String(error) })
    }
  }

  /**
   * Early in a boot nobody listens, and udev looks for new rules only every few seconds: another port is plugged in
   * until the script answers. The oldest goes when there are too many; by then it has been seen, or never will be.
   */
  async #plug(): Promise<void> {
    for (let plugged = 1; this.facts.length === 0 && this.#ending === undefined; plugged++) {
      if (plugged > freePorts) await this.#unplug(`start${plugged - freePorts}`)
      const port = { driver: 'virtserialport', bus: portBus, name: `${startPort}${plugged}` }
      await this.#monitor.execute('device_add', { ...port, id: `start${plugged}` })
      await delay(plugMs, undefined, { ref: false })
    }
  }

  async #unplug(id: string): Promise<void> {
    const unplugged = new Promise<void>((resolve) => (this.#unplugged = resolve))
    await this.#monitor.execute('device_del', { id })
    await unplugged
  }

  #onEvent({ event, data }: MonitorEvent): void {
    if (event === 'DEVICE_DELETED') this.#unplugged?.()
    // qemu then only pauses, and the guest would seem to have fallen silent.
    if (event === 'BLOCK_IO_ERROR' && data['nospace'] === true) this.#end({ kind: 'no-space' })
    if (event !== 'SHUTDOWN' || data['guest'] !== true) return
    // Not #end: qemu leaves by itself, after it has flushed the disk.
    this.#ending ??= { kind: data['reason'] === 'guest-reset' ? 'restarted' : 'powered-off' }
  }

  #onReport(line: string): void {
    this.#heard()
    const fact = parseGuestFact(line, this.#options.script?.nonce ?? '')
    if (fact === undefined) return
    this.#cancel('answer')
    const { payload } = this.#options
    if (this.facts.length === 0 && payload !== undefined) {
      ;(this.#program.sockets[machineSockets.report] as Duplex).write(payload)
    }
    this.facts.push(fact)
  }

  #watchLog(socket: Duplex): void {
    const decoder = new StringDecoder('utf8')
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => {
      this.#heard()
      this.#options.onLog?.(decoder.write(chunk))
    })
  }

  #watchConsole(socket: Duplex): void {
    const decoder = new StringDecoder('utf8')
    // A report that the port lost may have come through here; other lines of the console are no JSON of ours.
    readLines(socket, (line) => {
      const at = line.indexOf('{"nonce":')
      if (at !== -1) this.#onReport(line.slice(at).trimEnd())
    })
    socket.on('data', (chunk: Buffer) => {
      this.#heard()
      const text = decoder.write(chunk)
      this.#options.onConsole?.(text)
      const problem = this.console.feed(text)
      // A moment for the lines that explain it.
      if (problem !== undefined) this.#limit('problem', 1000, { kind: 'problem', problem })
      const { limits } = this.#options
      if (this.console.ready && this.facts.length === 0 && limits !== undefined) {
        this.#fairLimit('answer', limits.answerMs, { kind: 'no-answer', seconds: limits.answerMs / 1000 })
      }
    })
  }

  #heard(): void {
    const { limits } = this.#options
    if (limits === undefined) return
    this.#cancel('silence')
    this.#fairLimit('silence', limits.silenceMs, { kind: 'silent', seconds: limits.silenceMs / 1000 })
  }

  /** The first of a name counts. */
  #limit(name: string, ms: number, ending: Ending): void {
    if (this.#timers.has(name) || this.#ending !== undefined) return
    this.#timers.set(
      name,
      setTimeout(() => this.#end(ending), ms),
    )
  }

  /** As long again as it waited meanwhile, until it waited for hardly any of it. */
  #fairLimit(name: string, wholeMs: number, ending: Ending): void {
    if (this.#timers.has(name) || this.#ending !== undefined) return
    const wait = (ms: number, before: number): void => {
      const reached = (): void => {
        const waited = this.#waited()
        const missed = Math.min(ms, waited - before)
        if (missed < wholeMs / 20) this.#end(ending)
        else wait(missed, waited)
      }
      this.#timers.set(name, setTimeout(reached, ms))
    }
    wait(wholeMs, this.#waited())
  }

  #waited(): number {
    return (this.#options.waitedMs ?? waitedMs)(this.#program.pid)
  }

  #cancel(name: string): void {
    clearTimeout(this.#timers.get(name))
    this.#timers.delete(name)
  }

  #end(ending: Ending): void {
    this.#ending ??= ending
    // With the terminal in its hands qemu must be able to put it right again.
    this.#program.kill(this.#options.parts.console === 'terminal' ? 'SIGTERM' : 'SIGKILL')
  }
}

const plugMs = 5000
