// zx for the functions of an imgfile: the one `$` a script gets runs every command in the image's root.

import { spawn } from 'node:child_process'
import { $, ProcessOutput } from 'zx/core'
import { ImgError } from '../errors.ts'
import type { ScriptFunction } from '../plan/recipe.ts'
import { dyingWithUs } from './process.ts'

export interface ImageShell {
  readonly layer: string
  /** The image's root, as this process can open it. */
  readonly root: string
  /** How a program is started in there. */
  readonly commandLine: (argv: readonly string[]) => {
    readonly argv: readonly string[]
    readonly env: Readonly<Record<string, string>>
  }
  readonly onOutput: (text: string, stream: 'stdout' | 'stderr') => void
  readonly signal: AbortSignal
}

/** Throws STEP_FAILED for a command that failed and for anything the function throws. */
export async function runScript(script: ScriptFunction, shell: ImageShell): Promise<void> {
  const bound = $({
    shell: '/bin/bash',
    prefix: 'set -euo pipefail;',
    postfix: '',
    verbose: false,
    signal: shell.signal,
    // zx leaves the shell to spawn's option of that name, which would start it on this side of the image's root.
    spawn: ((command: string) => start(['/bin/bash', '-c', command], shell)) as typeof spawn,
  })
  try {
    await script(bound as never, { root: shell.root })
  } catch (error) {
    if (shell.signal.aborted)
      throw new ImgError('INTERRUPTED', 'the script was interrupted', { cause: error })
    throw failed(error, shell.layer)
  }
}

function start(argv: readonly string[], shell: ImageShell): ReturnType<typeof spawn> {
  const line = shell.commandLine(argv)
  const [program = '', ...args] = dyingWithUs(line.argv)
  const child = spawn(program, args, { env: line.env, stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdout.on('data', (chunk: Buffer) => shell.onOutput(chunk.toString(), 'stdout'))
  child.stderr.on('data', (chunk: Buffer) => shell.onOutput(chunk.toString(), 'stderr'))
  return child
}

function failed(error: unknown, layer: string): ImgError {
  const isOutput = error instanceof ProcessOutput
  const reason = isOutput
    ? `a command failed with exit code ${error.exitCode}`
    : error instanceof Error
      ? error.message
      : String(error)
  return new ImgError('STEP_FAILED', `layer ${layer}: script failed: ${reason}`, {
    layer,
    hint: `\`img log ${layer}\` shows all output`,
    ...(isOutput ? { output: lastLines(error.stderr === '' ? error.stdout : error.stderr) } : {}),
    cause: error,
  })
}

const lastLines = (text: string): string => text.trimEnd().split('\n').slice(-20).join('\n')
