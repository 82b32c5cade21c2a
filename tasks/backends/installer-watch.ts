// Watches a running installer through the files its machine writes: what it says, what it reports, and whether it lives.

import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { StringDecoder } from 'node:string_decoder'
import { setTimeout as delay } from 'node:timers/promises'
import { InstallerConsole, type InstallerProblem } from './installer-console.ts'

export type InstallerStop =
  | { readonly kind: 'problem'; readonly problem: InstallerProblem }
  | { readonly kind: 'silent'; readonly seconds: number }
  | { readonly kind: 'too-long'; readonly seconds: number }

export interface InstallerLimits {
  /** Without a byte on the console or on the disk. */
  readonly silenceMs: number
  readonly totalMs: number
  /** What it stands at this long, nobody else will answer. */
  readonly standingMs: number
}

export interface WatchOptions {
  readonly consoleFile: string
  readonly diskFile: string
  readonly limits: InstallerLimits
  readonly now: () => number
  /** Aborted when the machine is gone. */
  readonly over: AbortSignal
  readonly onText: (text: string) => void
  readonly onPhase: (phase: string) => void
}

export interface Watch {
  readonly console: InstallerConsole
  /** Why it has to be stopped; undefined when it was over first. Everything said by then was read. */
  readonly stopped: Promise<InstallerStop | undefined>
}

export function watchInstaller(options: WatchOptions): Watch {
  const console = new InstallerConsole()
  return { console, stopped: watch(options, console) }
}

async function watch(options: WatchOptions, console: InstallerConsole): Promise<InstallerStop | undefined> {
  const { limits, now, over } = options
  const started = now()
  let heard = started
  let standing: number | undefined
  const decoder = new StringDecoder('utf8')
  let offset = 0
  let wrote = 0
  for (;;) {
    const isOver = over.aborted
    const text = await readFrom(options.consoleFile, offset)
    const modified = (await stat(options.diskFile).catch(() => undefined))?.mtimeMs ?? 0
    if (text.length > 0 || modified > wrote) heard = now()
    wrote = modified
    if (text.length > 0) {
      offset += text.length
      const shown = decoder.write(text)
      options.onText(shown)
      if (console.feed(shown) && console.phase !== undefined) options.onPhase(console.phase)
      standing = console.problem === undefined ? undefined : now()
    }
    if (isOver) return undefined
    if (console.problem !== undefined && standing !== undefined && now() - standing >= limits.standingMs) {
      return { kind: 'problem', problem: console.problem }
    }
    if (now() - started >= limits.totalMs) return { kind: 'too-long', seconds: limits.totalMs / 1000 }
    if (now() - heard >= limits.silenceMs) return { kind: 'silent', seconds: limits.silenceMs / 1000 }
    // Another process writes the file; inotify would tell of every line, and this is soon enough.
    await delay(pollMs, undefined, { signal: over }).catch(() => undefined)
  }
}

const pollMs = 500

async function readFrom(file: string, offset: number): Promise<Buffer> {
  const pieces: Buffer[] = []
  try {
    for await (const piece of createReadStream(file, { start: offset })) pieces.push(piece as Buffer)
  } catch {
    // Not there yet.
  }
  return Buffer.concat(pieces)
}
