#!/usr/bin/env node
// Argv in, exit status out. The process, the clock and the environment are read here and nowhere else.
// A repeated build loads this file and remembered.ts only: everything else is imported when it is needed.

import { setMaxListeners } from 'node:events'
import { statSync, writeSync } from 'node:fs'
import { homedir } from 'node:os'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { RunContext } from './context.ts'
import type { Emit } from './events.ts'
import { recall, type Question } from './run/remembered.ts'
import { version } from './version.ts'

const argv = process.argv.slice(2)
const question = askedQuestion()
const answer = question === undefined ? undefined : recall(question, process.env)
if (answer === undefined) await main()
else printAtOnce(answer)

async function main(): Promise<void> {
  const [{ parseCommandLine }, { openReporter }, { renderError, errorStatus }] = await Promise.all([
    import('./commands/parse.ts'),
    import('./reporters/open-reporter.ts'),
    import('./reporters/error.ts'),
  ])
  for (const stream of [process.stdout, process.stderr]) stream.on('error', ignoreClosedPipe)
  // What stands behind `--` is no option.
  const end = argv.indexOf('--')
  const flags = new Set(end === -1 ? argv : argv.slice(0, end))
  const json = flags.has('--json')
  const verbosity = ['--quiet', '-q'].some((flag) => flags.has(flag))
    ? 'quiet'
    : ['--verbose', '-v'].some((flag) => flags.has(flag))
      ? 'verbose'
      : 'normal'
  const reporter = openReporter({ stream: process.stderr, json, verbosity, env: process.env, now: Date.now })
  const signal = interruptible()
  const stop = async (error: unknown): Promise<void> => {
    await reporter.close()
    const width = process.stderr.columns > 0 ? { columns: process.stderr.columns } : {}
    process.stderr.write(renderError(error, { json, interrupted: signal.aborted, ...width }))
    process.exitCode = errorStatus(error, signal.aborted)
  }
  // What nobody awaited must still end the process, after saying so.
  process.on('uncaughtException', (error) => void stop(error).then(() => process.exit()))
  try {
    const parsed = await parseCommandLine(argv, { columns: process.stdout.columns || 80 })
    if (parsed.kind === 'text') {
      process.stdout.write(parsed.text)
    } else {
      const cwd = process.cwd()
      const context = await contextFor(parsed.globals, signal, reporter.emit)
      const asked = question === undefined ? {} : { question }
      const seen = process.stdout.isTTY ? { columns: process.stdout.columns } : {}
      const call = {
        ...parsed.call,
        ...asked,
        ...seen,
        ...(atTerminal(json) ? { ask } : {}),
        json,
        print,
        cwd,
      }
      process.exitCode = await parsed.command.run(call, context)
    }
    await reporter.close()
  } catch (error) {
    await stop(error)
  }
  // An imgfile may have left a timer or a connection behind; what was printed is out by now, since pipes are synchronous.
  process.exit()
}

async function contextFor(
  globals: { readonly imgfile?: string; readonly cacheDir?: string; readonly yes: boolean },
  signal: AbortSignal,
  emit: Emit,
): Promise<RunContext> {
  const { projectRoot } = await import('./run/find-imgfile.ts')
  return {
    root: projectRoot(process.cwd(), globals.imgfile),
    env: process.env,
    cacheDir: globals.cacheDir === undefined ? cacheDirectory() : resolve(globals.cacheDir),
    now: Date.now,
    signal,
    emit,
    uid: process.getuid?.() ?? 0,
    yes: globals.yes,
  }
}

/** The first interrupt asks everything to stop and clean up; the second ends the process, and with it what it started. */
function interruptible(): AbortSignal {
  const controller = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(130)
      controller.abort()
    })
  }
  // Everything that runs at the same time listens.
  setMaxListeners(0, controller.signal)
  return controller.signal
}

/** Only `build` has an answer worth remembering, and only in the usual cache. */
function askedQuestion(): Question | undefined {
  if (argv[0] !== 'build' || argv.some((arg) => arg.startsWith('--cache-dir'))) return undefined
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('IMG_')))
  const cacheDir = cacheDirectory()
  // Another build of the same version, as in our own checkout, may answer otherwise.
  const installed = statSync(fileURLToPath(import.meta.url)).mtimeMs
  return { cacheDir, cwd: process.cwd(), argv, env, version: `${version} ${installed} ${process.version}` }
}

function cacheDirectory(): string {
  const given = process.env['IMG_CACHE_DIR'] ?? ''
  if (given !== '') return resolve(given)
  const base = process.env['XDG_CACHE_HOME'] ?? ''
  // The base directory specification says that a relative value is to be ignored.
  return base.startsWith('/') ? `${base}/img` : `${homedir()}/.cache/img`
}

function print(result: unknown): void {
  process.stdout.write(typeof result === 'string' ? result : `${JSON.stringify(result)}\n`)
}

function atTerminal(json: boolean): boolean {
  return process.stdin.isTTY && process.stderr.isTTY && !json
}

/** Nothing but a yes is one. */
async function ask(text: string): Promise<boolean> {
  const { createInterface } = await import('node:readline/promises')
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  // Ctrl-C at a question is an answer, too.
  const said = await new Promise<string>((answered) => {
    terminal.once('close', () => answered(''))
    void terminal.question(`${text} [y/N] `).then(answered)
  })
  terminal.close()
  return /^y(?:es)?$/i.test(said.trim())
}

/** Making process.stdout takes longer than all the rest of a repeated build. */
function printAtOnce(text: string): void {
  try {
    const bytes = Buffer.from(text)
    const written = writeSync(1, bytes)
    if (written < bytes.length) process.stdout.write(bytes.subarray(written))
  } catch (error) {
    ignoreClosedPipe(error as NodeJS.ErrnoException)
  }
}

/** A reader that went away (`img ls | head`) is no error of ours. */
function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
}
