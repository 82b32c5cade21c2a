// One set of namespaces per build. Its first process is started so that it dies with `img`; the kernel then kills
// everything else in there, unmounts what was mounted and frees the loop devices: nothing has to be cleaned up.

import path from 'node:path'
import { ImgError } from '../errors.ts'
import {
  programPath,
  runProgram,
  streamProgram,
  type ProgramOptions,
  type ProgramResult,
  type ProgramStream,
} from '../run/process.ts'

export interface NamespaceOptions {
  /** Private, for the session's own files and mount points. */
  readonly directory: string
  /** Without root the namespaces belong to a user namespace with the user's subordinate ids. */
  readonly userNamespace: boolean
  /** Where the namespaces are made; on this machine when absent. */
  readonly machine?: Machine
  /** A process whose mounts are seen as well. */
  readonly mountsOf?: number
  readonly signal: AbortSignal
  readonly log?: string
}

/** What runs programs: this machine, or one that was booted for it. */
export interface Machine {
  run(argv: readonly string[], options?: ProgramOptions): Promise<ProgramResult>
  stream(argv: readonly string[], options?: Pick<ProgramOptions, 'env' | 'signal'>): ProgramStream
}

export interface SessionCommand {
  /** A folder seen from inside the namespaces; absent: the host's own root. */
  readonly root?: string
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string | Uint8Array
  /** Only what downloads sees the host's network; everything else has none. */
  readonly network?: boolean
  readonly onOutput?: (text: string, stream: 'stdout' | 'stderr') => void
  /** Programs that answer us instead of working are not logged. */
  readonly quiet?: boolean
}

export interface NamespaceSession {
  run(argv: readonly string[], command?: SessionCommand): Promise<ProgramResult>
  /** For output that is too much to be kept. */
  stream(argv: readonly string[], command?: Pick<SessionCommand, 'root' | 'env'>): ProgramStream
  /** The command line by which `run` starts a program, and its environment. */
  commandLine(argv: readonly string[], command?: SessionCommand): CommandLine
  /** A path of the namespaces as we can open it from outside. */
  seenFromOutside(inside: string): string
  /** Ends every process of the session, and with them its mounts. */
  close(): Promise<void>
}

export interface CommandLine {
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

export async function openNamespace(options: NamespaceOptions): Promise<NamespaceSession> {
  const machine = options.machine ?? thisMachine
  const { pid, ended } = await startInit(machine, options)
  const isAlive = { value: true }
  void ended.then(() => (isAlive.value = false))
  const close = async (): Promise<void> => {
    if (isAlive.value) await machine.run(['sh', '-c', 'kill -KILL "$1" 2>/dev/null', 'sh', pid])
    await ended
  }
  const onAbort = (): void => void close()
  options.signal.addEventListener('abort', onAbort, { once: true })
  return {
    run: (argv, command = {}) => runInside(machine, { pid, options, argv, command }),
    stream: (argv, command = {}) => {
      const line = makeCommandLine({ pid, options, argv, command })
      return machine.stream(line.argv, { env: line.env, signal: options.signal })
    },
    commandLine: (argv, command = {}) => makeCommandLine({ pid, options, argv, command }),
    seenFromOutside: (inside) => path.join('/proc', pid, 'root', inside),
    close: async () => {
      options.signal.removeEventListener('abort', onAbort)
      await close()
    },
  }
}

const thisMachine: Machine = { run: runProgram, stream: streamProgram }

/**
 * `systemd` is what /proc/1/comm reads: the kernel takes a script's own name. /proc/self/stat is read before /proc
 * is mounted anew, so it tells the process id as seen from outside, which nsenter needs.
 */
const initScript = `#!/bin/sh
read -r pid rest </proc/self/stat
mount -t proc -o nosuid,nodev,noexec proc /proc || exit 1
cd /
hostname localhost 2>/dev/null
echo "namespace $pid"
while :; do
  sleep infinity &
  wait
done
`

async function startInit(
  machine: Machine,
  options: NamespaceOptions,
): Promise<{ readonly pid: string; readonly ended: Promise<void> }> {
  const init = path.join(options.directory, 'systemd')
  const lay = 'mkdir -p "${1%/*}" && cat >"$1" && chmod 0755 "$1"'
  const laid = await machine.run(['sh', '-c', lay, 'sh', init], { input: initScript })
  if (laid.exitCode !== 0) throw refused(options, laid.stderr)
  const output: string[] = []
  let onStarted: ((pid: string) => void) | undefined
  const started = new Promise<string>((resolve) => (onStarted = resolve))
  const flags = '--mount --propagation private --pid --ipc --uts --fork --kill-child=KILL'
  const user = options.userNamespace ? ['--user', '--map-root-user', '--map-auto'] : []
  const mountsOf = options.mountsOf
  const inside =
    mountsOf === undefined ? [] : ['nsenter', '--target', String(mountsOf), '--mount', '--root', '--wd', '--']
  const running = machine.run([...inside, 'unshare', ...user, ...flags.split(' '), '--', init], {
    env: { LC_ALL: 'C.UTF-8' },
    onOutput: (text) => {
      output.push(text)
      const pid = /namespace (\d+)\n/.exec(output.join(''))?.[1]
      if (pid !== undefined) onStarted?.(pid)
    },
  })
  const ended = running.then(() => undefined)
  const first = await Promise.race([started, ended])
  if (first !== undefined) return { pid: first, ended }
  throw refused(options, output.join(''))
}

const refused = ({ userNamespace }: NamespaceOptions, output: string): ImgError =>
  new ImgError('BACKEND_UNAVAILABLE', 'cannot create the namespaces a build runs in', {
    hint: userNamespace
      ? 'unprivileged user namespaces and subordinate ids (/etc/subuid, package uidmap) are needed: run `img doctor`'
      : 'run `img doctor`; inside a container the capability SYS_ADMIN is needed',
    output: output.trim(),
  })

interface InsideCall {
  readonly pid: string
  readonly options: NamespaceOptions
  readonly argv: readonly string[]
  readonly command: SessionCommand
}

function runInside(machine: Machine, call: InsideCall): Promise<ProgramResult> {
  const { options, command } = call
  const { argv, env } = makeCommandLine(call)
  return machine.run(argv, {
    env,
    signal: options.signal,
    ...(command.input === undefined ? {} : { input: command.input }),
    ...(options.log === undefined || command.quiet === true ? {} : { log: options.log }),
    ...(command.onOutput === undefined ? {} : { onOutput: command.onOutput }),
  })
}

function makeCommandLine({ pid, options, argv, command }: InsideCall): CommandLine {
  const enter = ['nsenter', '--target', pid, '--mount', '--pid', '--ipc', '--uts', '--root', '--wd']
  const user = options.userNamespace ? ['--user', '--setuid', '0', '--setgid', '0'] : []
  const network = command.network === true ? [] : ['unshare', '--net', '--']
  const root = command.root === undefined ? [] : ['chroot', command.root]
  const inFolder = ['sh', '-c', 'cd "$0" && exec "$@"', command.cwd ?? '/']
  return {
    argv: [...enter, ...user, '--', 'sh', '-c', alone, 'sh', ...network, ...root, ...inFolder, ...argv],
    env: { PATH: programPath, ...fixedEnv, ...command.env },
  }
}

/** What a command leaves running holds its output open, and filesystems busy: it ends with the command. */
const alone = 'umask 022; "$@"; code=$?; kill -KILL -1 2>/dev/null; exit $code'

/** Locale, time zone and home of the person who builds decide nothing. */
const fixedEnv: Readonly<Record<string, string>> = {
  LANG: 'C.UTF-8',
  LC_ALL: 'C.UTF-8',
  TZ: 'UTC',
  HOME: '/root',
  USER: 'root',
  LOGNAME: 'root',
  SHELL: '/bin/sh',
  TERM: 'dumb',
}
