// What the steps of one build share.

import { appendFileSync } from 'node:fs'
import type { RunContext } from '../context.ts'
import { ImgError } from '../errors.ts'
import type { ProgramResult } from '../run/process.ts'
import type { Work } from './backend.ts'
import { freeBytes, littleSpace, watchFullDisk, type FullDiskOptions } from './full-disk-watch.ts'
import type { Folders } from './namespace-mounts.ts'
import type { NamespaceSession, SessionCommand } from './namespace-session.ts'
import { labelOf } from './step-label.ts'

export interface Build {
  readonly work: Work
  readonly context: RunContext
  readonly session: NamespaceSession
  readonly folders: Folders
  /** SOURCE_DATE_EPOCH, and what modification times later than `cut` become. Seconds since 1970. */
  readonly epoch: number
  readonly cut: number
  /** When a program that stands still on a full disk is given up. */
  readonly fullDisk?: FullDiskOptions
}

/** Runs a program of the tool tree, which sees the work folder but not the image as its root. */
export async function runTool(
  build: Build,
  argv: readonly string[],
  command: Omit<SessionCommand, 'root'> & { readonly what: string },
): Promise<ProgramResult> {
  const result = await runLogged(build, argv, { ...command, root: build.folders.tools })
  if (result.exitCode !== 0) throw await failure(build, command.what, result)
  return result
}

/** Runs a program of the image in the image's root. */
export async function runInImage(
  build: Build,
  argv: readonly string[],
  command: Omit<SessionCommand, 'root'> & { readonly what: string },
): Promise<ProgramResult> {
  const result = await runLogged(build, argv, { ...command, root: build.folders.image })
  if (result.exitCode !== 0) throw await failure(build, command.what, result)
  return result
}

/** Runs a program of the host inside the namespaces: mounting, copying, removing. */
export async function runOnHost(
  build: Build,
  argv: readonly string[],
  command: Omit<SessionCommand, 'root'> & { readonly what: string },
): Promise<ProgramResult> {
  const result = await runLogged(build, argv, command)
  if (result.exitCode !== 0) throw await failure(build, command.what, result)
  return result
}

/** What the build made is younger than every package; a layer without packages can only tell by its own start. */
export function cutOf({ apt, since }: Work, context: RunContext): number {
  const dates = Object.values(apt).map(({ date }) => date)
  return dates.length === 0 ? (since ?? Math.floor(context.now() / 1000)) - 2 : Math.max(...dates)
}

/** Says that the step of this place begins. */
export function announce(build: Build, index: number): void {
  const { layer, steps } = build.work
  const step = steps[index]
  if (step === undefined) return
  build.context.emit({
    event: 'step-start',
    layer,
    step: index + 1,
    steps: steps.length,
    label: labelOf(step),
  })
}

export async function failure(build: Build, what: string, result: ProgramResult): Promise<ImgError> {
  const { layer, directory } = build.work
  const output = lastLines(result.stderr === '' ? result.stdout : result.stderr)
  const isFull = fullMessages.test(output)
  if (isFull && (await freeBytes(directory, build.context.uid)) < littleSpace)
    return diskFull(build.work, what, { output })
  return new ImgError('STEP_FAILED', `layer ${layer}: ${what} failed with exit code ${result.exitCode}`, {
    layer,
    output,
    hint: isFull
      ? "a filesystem of the image is full: make the disk larger where the layer's chain begins"
      : `run \`img log ${layer}\` for the whole output`,
  })
}

/** A write of our own that found no space, as the error to show; anything else as it is. */
export function explainWrite(work: Work, error: unknown): unknown {
  const isFull = error instanceof Error && 'code' in error && error.code === 'ENOSPC'
  return isFull ? diskFull(work, 'its files', { cause: error }) : error
}

const diskFull = (
  work: Work,
  what: string,
  more: { readonly output?: string; readonly cause?: unknown },
): ImgError =>
  new ImgError('DISK_FULL', `layer ${work.layer}: no space left for ${what}`, {
    layer: work.layer,
    path: work.directory,
    hint: 'free space, run `img cache gc`, or set IMG_CACHE_DIR to a larger filesystem',
    ...more,
  })

/** A filesystem in a file that cannot grow any more reports errors of the medium. */
const fullMessages = /No space left on device|ENOSPC|Input\/output error|Read-only file system/

async function runLogged(
  build: Build,
  argv: readonly string[],
  command: SessionCommand & { readonly what: string },
): Promise<ProgramResult> {
  if (command.quiet === true) return build.session.run(argv, command)
  appendFileSync(build.work.log, `+ ${command.what}\n`)
  const watch = watchFullDisk({ directory: build.work.directory, uid: build.context.uid }, build.fullDisk)
  let output = ''
  const running = build.session.run(argv, {
    ...command,
    onOutput: (text, stream) => {
      watch.heard()
      output = (output + text).slice(-16 * 1024)
      build.context.emit({ event: 'output', layer: build.work.layer, stream, text })
      command.onOutput?.(text, stream)
    },
  })
  try {
    const result = await Promise.race([running, watch.stuck])
    if (result !== true) return result
  } finally {
    watch.close()
  }
  // Its end is that of the session, which whoever sees the error closes.
  running.catch(() => undefined)
  throw diskFull(build.work, command.what, { output: lastLines(output) })
}

const lastLines = (text: string): string => text.trimEnd().split('\n').slice(-20).join('\n')
