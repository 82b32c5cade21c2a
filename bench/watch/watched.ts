// A running `img watch`, by the events it tells programs.

import { spawn } from 'node:child_process'
import { appendFileSync, readdirSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'

/** Those of an event that are looked at; `time` in milliseconds since 1970. */
export interface Told {
  readonly time: number
  readonly event: string
  readonly layer?: string
  readonly key?: string
  readonly status?: string
  readonly label?: string
  readonly text?: string
  readonly outcome?: { readonly status: string; readonly key?: string }
}

export interface Watched {
  readonly events: readonly Told[]
  readonly pid: number
  readonly ended: Promise<number | null>
  /** The first event from the given place on that fits; rejects when it ended or the time is over. */
  next(from: number, fits: (told: Told) => boolean): Promise<Told>
  /** Nothing is asked, built or prepared any more. */
  quiet(): Promise<void>
  /** To the whole group, as a terminal's Ctrl-C is. */
  interrupt(): void
  /** Also when it has ended. */
  kill(): void
}

export interface WatchedOptions {
  readonly cli: string
  readonly root: string
  readonly cache: string
  readonly layer: string
  /** Every event is written here, too. */
  readonly log?: string
}

export function startWatched({ cli, root, cache, layer, log }: WatchedOptions): Watched {
  const argv = [cli, 'watch', layer, '--json', '--cache-dir', cache]
  const child = spawn(process.execPath, argv, {
    cwd: root,
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  })
  const pid = child.pid ?? 0
  const events: Told[] = []
  const listeners = new Set<() => void>()
  createInterface({ input: child.stderr }).on('line', (text) => {
    if (log !== undefined) appendFileSync(log, `${text}\n`)
    if (text.startsWith('{')) events.push(JSON.parse(text) as Told)
    for (const listener of listeners) listener()
  })
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  return {
    events,
    pid,
    ended,
    next: (from, fits) =>
      new Promise((resolve, reject) => {
        const done = (result: () => void): void => {
          listeners.delete(look)
          clearTimeout(timer)
          result()
        }
        const look = (): void => {
          const found = events.slice(from).find(fits)
          if (found !== undefined) done(() => resolve(found))
        }
        const late = (): void =>
          done(() => reject(new Error(`img watch says nothing for ${longest / 60_000} min`)))
        const timer = setTimeout(late, longest)
        void ended.then((status) => done(() => reject(new Error(`img watch ended with ${status}`))))
        listeners.add(look)
        look()
      }),
    quiet: async () => {
      for (let calm = 0, seen = -1, used = -1; calm < quietTurns;) {
        await wait(turnMs)
        if (child.exitCode !== null || child.signalCode !== null)
          throw new Error(`img watch ended with ${child.exitCode ?? child.signalCode}`)
        const ticks = ticksOf(pid)
        const isOver = events.length === seen && ticks - used <= 1 && isAtRest(events)
        calm = isOver ? calm + 1 : 0
        seen = events.length
        used = ticks
      }
    },
    interrupt: () => process.kill(-pid, 'SIGINT'),
    kill: () => void child.kill('SIGKILL'),
  }
}

const longest = 15 * 60_000
const turnMs = 500
const quietTurns = 4

/** What every round but one of an editor's own files ends with. */
function isAtRest(events: readonly Told[]): boolean {
  const last = events.findLast(({ event }) => event !== 'output' && event !== 'warning')
  return last !== undefined && ['round-end', 'watching', 'note'].includes(last.event)
}

/** Processor time of a process and all below it, in hundredths of a second; what ended counts with its parent. */
export function ticksOf(root: number): number {
  const all = new Map(
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => {
        const fields = fieldsOf(name)
        return fields === undefined ? [] : [[Number(name), fields] as const]
      }),
  )
  const isBelow = (pid: number): boolean => {
    const parent = all.get(pid)?.parent
    return pid === root || (parent !== undefined && parent !== 0 && isBelow(parent))
  }
  return [...all].reduce((sum, [pid, { ticks }]) => sum + (isBelow(pid) ? ticks : 0), 0)
}

function fieldsOf(pid: string): { readonly parent: number; readonly ticks: number } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number)
    return { parent: fields[1] ?? 0, ticks: [11, 12, 13, 14].reduce((sum, at) => sum + (fields[at] ?? 0), 0) }
  } catch {
    // It ended while we looked.
    return undefined
  }
}
