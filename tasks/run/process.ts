// The only door to other programs. Everything started through here dies with `img`, also when that is killed with -9.

import { appendFileSync } from 'node:fs'
import { setMaxListeners } from 'node:events'
import type { Duplex } from 'node:stream'
import { execa } from 'execa'
import { ImgError } from '../errors.ts'

export interface ProgramOptions {
  readonly cwd?: string
  /** The whole environment; nothing is inherited. */
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string | Uint8Array
  readonly signal?: AbortSignal
  readonly timeoutMs?: number
  /** Both streams are appended here as they come, raw. */
  readonly log?: string
  readonly onOutput?: (text: string, stream: 'stdout' | 'stderr') => void
  /**
   * `namespace`: own mount, pid and ipc namespaces, so that mounts, loop devices and daemons go with it too.
   * `none`: killed with us, nothing else. Default `none`.
   */
  readonly isolation?: 'none' | 'namespace'
}

export interface ProgramResult {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
  readonly timedOut: boolean
}

/** Runs a program to its end; a program that cannot be started is TOOL_MISSING, any exit code is a result. */
export async function runProgram(
  argv: readonly string[],
  options: ProgramOptions = {},
): Promise<ProgramResult> {
  const child = execa(launcher, [...namespaces(options.isolation ?? 'none'), ...argv], {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { PATH: programPath, ...options.env },
    extendEnv: false,
    ...(options.input === undefined ? { stdin: 'ignore' } : { input: options.input }),
    ...cancelBy(options.signal),
    ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs }),
    forceKillAfterDelay: 5000,
    reject: false,
    stripFinalNewline: false,
    maxBuffer: 64 * 1024 * 1024,
  })
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream]?.on('data', (chunk: Buffer) => {
      if (options.log !== undefined) appendFileSync(options.log, chunk)
      options.onOutput?.(chunk.toString(), stream)
    })
  }
  const result = await child
  if (options.signal?.aborted === true) throw new ImgError('INTERRUPTED', `${argv[0]} was interrupted`)
  if (result.exitCode === undefined && !result.timedOut && result.signal === undefined) {
    throw new ImgError(
      'TOOL_MISSING',
      `cannot start ${argv[0]}: ${result.originalMessage ?? 'unknown reason'}`,
      {
        hint: 'run `img doctor` to see which programs are missing',
        cause: result,
      },
    )
  }
  return {
    exitCode: result.exitCode ?? 128,
    stdout: result.stdout ?? '',
    stderr: result.stderr ?? '',
    timedOut: result.timedOut,
  }
}

/** As many listen as programs run at the same time; whose signal it is cannot know how many, and each leaves at its end. */
function cancelBy(signal: AbortSignal | undefined): { readonly cancelSignal?: AbortSignal } {
  if (signal === undefined) return {}
  setMaxListeners(0, signal)
  return { cancelSignal: signal }
}

export interface ProgramStream {
  /** Standard output as it comes. */
  readonly output: AsyncIterable<Buffer>
  /** `stdout` is empty. Rejects as `runProgram` does, and only when the output was read to its end or given up. */
  readonly ended: Promise<ProgramResult>
}

/** As `runProgram`, for output that is too much to be kept. */
export function streamProgram(
  argv: readonly string[],
  options: Pick<ProgramOptions, 'env' | 'signal'> = {},
): ProgramStream {
  const child = execa(launcher, [...namespaces('none'), ...argv], {
    env: { PATH: programPath, ...options.env },
    extendEnv: false,
    stdin: 'ignore',
    ...cancelBy(options.signal),
    forceKillAfterDelay: 5000,
    reject: false,
    stripFinalNewline: false,
    buffer: { stdout: false },
  })
  return {
    output: child.stdout as AsyncIterable<Buffer>,
    ended: child.then((result) => {
      if (options.signal?.aborted === true) throw new ImgError('INTERRUPTED', `${argv[0]} was interrupted`)
      return { exitCode: result.exitCode ?? 128, stdout: '', stderr: result.stderr, timedOut: false }
    }),
  }
}

export interface StartOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** How many sockets the program gets beyond the standard streams, as descriptors 3, 4… */
  readonly sockets?: number
  /** Standard streams are ours, for a program that talks with the user; else input is empty. */
  readonly terminal?: boolean
  /** Told all of standard error so far whenever there is more. */
  readonly onStderr?: (text: string) => void
}

export interface StartedProgram {
  readonly pid: number
  /** Our ends of the program's descriptors 3, 4… */
  readonly sockets: readonly Duplex[]
  /** Never rejects. Standard error only without `terminal`. */
  readonly exited: Promise<{
    readonly exitCode: number | undefined
    readonly signal: string | undefined
    readonly stderr: string
  }>
  kill(signal: 'SIGTERM' | 'SIGKILL'): void
}

/**
 * Starts a program that runs beside us; it ends with us at the latest. Only with `terminal` it is in our process group:
 * a Ctrl-C is for us, who end the others when nobody needs them any more.
 */
export function startProgram(argv: readonly string[], options: StartOptions = {}): StartedProgram {
  const terminal = options.terminal === true
  const sockets = Array.from({ length: options.sockets ?? 0 }, () => 'pipe' as const)
  const child = execa(launcher, [...namespaces('none'), ...argv], {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { PATH: programPath, ...options.env },
    extendEnv: false,
    stdio: terminal
      ? ['inherit', 'inherit', 'inherit', ...sockets]
      : ['ignore', 'ignore', 'pipe', ...sockets],
    detached: !terminal,
    buffer: false,
    reject: false,
  })
  if (child.pid === undefined) {
    throw new ImgError('TOOL_MISSING', `cannot start ${launcher}`, {
      hint: 'run `img doctor` to see which programs are missing',
    })
  }
  let stderr = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString()).slice(-64 * 1024)
    options.onStderr?.(stderr)
  })
  // Whoever it left behind may hold the other ends for ever; what it wrote itself is read by then.
  child.once('exit', () => {
    setTimeout(() => {
      for (const stream of child.stdio) stream?.destroy()
    }, 1000).unref()
  })
  return {
    pid: child.pid,
    sockets: child.stdio.slice(3) as unknown as readonly Duplex[],
    exited: child.then(({ exitCode, signal }) => ({ exitCode, signal, stderr })),
    kill: (signal) => void child.kill(signal),
  }
}

/** The same program, killed when we die: for the few that cannot go through `runProgram`. */
export const dyingWithUs = (argv: readonly string[]): readonly string[] => [
  launcher,
  ...namespaces('none'),
  ...argv,
]

/** Where host programs are looked for; a user's PATH would leak into results. */
export const programPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Kills the program when the thread that started it dies: the only thing that survives kill -9 of `img`. */
const launcher = 'setpriv'

function namespaces(isolation: 'none' | 'namespace'): readonly string[] {
  const dieWithParent = ['--pdeathsig', 'KILL', '--']
  if (isolation === 'none') return dieWithParent
  const unshare = 'unshare --mount --propagation private --pid --ipc --fork --kill-child=KILL --mount-proc --'
  return dieWithParent.concat(unshare.split(' '))
}
