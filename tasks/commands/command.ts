// The shape of a command. One file per command exports one of these; cli.ts turns it into argv parsing and help.

import type { RunContext } from '../context.ts'
import type { Question } from '../run/remembered.ts'

export interface Command {
  readonly name: string
  readonly summary: string
  /** commander's argument syntax: `[layers...]`, `<layer> <file>`. */
  readonly arguments: string
  readonly options: readonly CommandOption[]
  /** One line a reader can paste. */
  readonly example: string
  /** Returns the exit status; throws ImgError for everything that stops it. */
  run(call: Call, context: RunContext): Promise<number>
}

export interface CommandOption {
  /** commander's flag syntax: `--keep-going`, `--jobs <n>`. */
  readonly flags: string
  readonly description: string
  /** `previous` is what it gave before, for an option that may be there several times. */
  readonly parse?: (value: string, previous?: unknown) => unknown
  readonly default?: string | number | boolean
}

export interface Call {
  readonly args: readonly string[]
  /** By camelCased name, only what commander parsed. */
  readonly options: Readonly<Record<string, unknown>>
  readonly json: boolean
  /** Where the user stands: relative paths on the command line start here. */
  readonly cwd: string
  /** Asks the person at the terminal yes or no; absent when there is none, and then nobody waits for an answer. */
  readonly ask?: (question: string) => Promise<boolean>
  /** Under what a build that did nothing may remember its answer; absent when it may not. */
  readonly question?: Question
  /** Of the terminal results go to; absent where they go to a file or a program. */
  readonly columns?: number
  /** Where results go (stdout); everything else is an event. A value is one line of JSON, a string is printed as it is. */
  readonly print: (result: unknown) => void
}
