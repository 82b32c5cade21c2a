// qemu's control protocol (QMP): one JSON object a line, answers in the order of commands, events in between.

import type { Duplex } from 'node:stream'
import type { JsonValue } from '../plan/step.ts'
import { readLines } from './read-lines.ts'

export interface MonitorEvent {
  readonly event: string
  readonly data: Readonly<Record<string, JsonValue>>
}

export class Monitor {
  readonly #socket: Duplex
  readonly #onEvent: (event: MonitorEvent) => void
  readonly #waiting: { resolve: (value: JsonValue) => void; reject: (error: Error) => void }[] = []
  #closed = false

  constructor(socket: Duplex, onEvent: (event: MonitorEvent) => void) {
    this.#socket = socket
    this.#onEvent = onEvent
    readLines(socket, (line) => this.#receive(line))
    socket.on('close', () => this.#close())
  }

  /** Whether qemu hung up. */
  get closed(): boolean {
    return this.#closed
  }

  /** Rejects when qemu refuses the command, or ended before it answered. */
  async execute(command: string, args: Readonly<Record<string, JsonValue>> = {}): Promise<JsonValue> {
    if (this.#closed) throw new Error(`qemu ended before it answered ${command}`)
    const answer = new Promise<JsonValue>((resolve, reject) => this.#waiting.push({ resolve, reject }))
    this.#socket.write(`${JSON.stringify({ execute: command, arguments: args })}\n`)
    return answer
  }

  #receive(line: string): void {
    const message = JSON.parse(line) as Readonly<Record<string, JsonValue>>
    if (typeof message['event'] === 'string') {
      this.#onEvent({
        event: message['event'],
        data: (message['data'] ?? {}) as Readonly<Record<string, JsonValue>>,
      })
    } else if ('return' in message) {
      this.#waiting.shift()?.resolve(message['return'] ?? null)
    } else if ('error' in message) {
      this.#waiting.shift()?.reject(new Error((message['error'] as { desc: string }).desc))
    }
  }

  #close(): void {
    this.#closed = true
    for (const { reject } of this.#waiting.splice(0)) reject(new Error('qemu ended before it answered'))
  }
}
