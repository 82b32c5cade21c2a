// A program of ours in a process of its own, which says lines and may be killed at any moment.

import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { onTestFinished } from 'vitest'

export interface TalkingChild {
  readonly pid: number | undefined
  readonly lines: readonly string[]
  /** Resolves with the first line that begins like this; rejects when the program ends without one. */
  readonly says: (start: string) => Promise<string>
  readonly kill: () => Promise<void>
}

/** `through`: the command line of a program that becomes it. It ends with the test at the latest. */
export function startChild(
  script: string,
  argv: readonly string[],
  through: readonly string[] = [],
): TalkingChild {
  const jiti = new URL('../../node_modules/jiti/lib/jiti-cli.mjs', import.meta.url).pathname
  const [program = '', ...rest] = [...through, process.execPath, jiti, script, ...argv]
  const child = spawn(program, rest, { stdio: ['pipe', 'pipe', 'inherit'] })
  const waiting: { start: string; found: (line: string) => void; failed: (error: Error) => void }[] = []
  let hasEnded = false
  const ended = new Promise<void>((resolve) =>
    child.once('close', () => {
      hasEnded = true
      resolve()
      for (const { start, failed } of waiting) failed(silent(start))
    }),
  )
  const kill = (): Promise<void> => {
    child.kill('SIGKILL')
    return ended
  }
  onTestFinished(kill)
  const lines: string[] = []
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line)
    for (const one of waiting.filter((other) => line.startsWith(other.start))) one.found(line)
  })
  const says = (start: string): Promise<string> => {
    const said = lines.find((line) => line.startsWith(start))
    if (said !== undefined) return Promise.resolve(said)
    if (hasEnded) return Promise.reject(silent(start))
    return new Promise((found, failed) => waiting.push({ start, found, failed }))
  }
  return { pid: child.pid, lines, says, kill }
}

const silent = (start: string): Error => new Error(`it ended and did not say: ${start}`)
