// Boots an image for a person or a script: console on the terminal, or ssh. The image is never written.

import { readFile } from 'node:fs/promises'
import type { RunContext } from '../context.ts'
import { ImgError } from '../errors.ts'
import { startProgram } from '../run/process.ts'
import { openWorkspace } from '../run/workspace.ts'
import { resolveAcceleration } from './acceleration.ts'
import type { Firmware, MachineParts } from './qemu-arguments.ts'
import { adviseEnding, describeEnding, type Ending } from './qemu-ending.ts'
import { makeOverlay, prepareFirmware } from './qemu-files.ts'
import { Machine } from './qemu-machine.ts'
import { findFreePort, makeSshArguments, makeSshCredentials, makeSshKey, waitForSsh } from './ssh-access.ts'

export interface RunOptions {
  readonly layer: string
  readonly firmware: Firmware['kind']
  /** MiB. */
  readonly memory: number
  readonly cpus: number
  /** Whether the machine reaches the network outside. */
  readonly outside: boolean
  /** Instead of the console. */
  readonly ssh?: {
    readonly user: string
    readonly port?: number
    /** Public key let in, for a log-in from elsewhere; without it a session is opened here with a key of our own. */
    readonly keyFile?: string
    readonly command?: string
  }
}

/** Exit status: of the command or session over ssh, else 0. */
export async function runImage(disk: string, options: RunOptions, context: RunContext): Promise<number> {
  const { layer, ssh } = options
  const { accelerator, reason } = await resolveAcceleration(context)
  context.emit({ event: 'note', layer, text: `boots with ${accelerator}: ${reason}` })
  const workspace = await openWorkspace(context.cacheDir)
  const directory = workspace.path
  try {
    const parts: Omit<MachineParts, 'console' | 'credentials' | 'network'> = {
      disk: await makeOverlay(disk, directory, { signal: context.signal }),
      accelerator,
      firmware: await prepareFirmware(options.firmware, directory),
      memory: options.memory,
      cpus: options.cpus,
      restarts: true,
    }
    return ssh === undefined
      ? await runOnTerminal({ ...parts, ...terminalParts(options) }, options, context)
      : await runBySsh({ parts, ssh, directory, options }, context)
  } finally {
    await workspace.remove()
  }
}

const terminalParts = ({
  outside,
}: RunOptions): Pick<MachineParts, 'console' | 'credentials' | 'network'> => ({
  console: 'terminal',
  credentials: {},
  network: { outside, forwards: [] },
})

async function runOnTerminal(
  parts: MachineParts,
  { layer }: RunOptions,
  context: RunContext,
): Promise<number> {
  context.emit({ event: 'note', layer, text: 'the console is here; Ctrl-A x ends the machine' })
  const machine = new Machine({ parts, signal: context.signal })
  const ending = await machine.ended
  // Ctrl-A x is an ordinary end of qemu.
  if (ending.kind === 'died' && ending.how === 'ended with 0') return 0
  return endOf(machine, ending, { layer, context })
}

interface SshRun {
  readonly parts: Omit<MachineParts, 'console' | 'credentials' | 'network'>
  readonly ssh: NonNullable<RunOptions['ssh']>
  readonly directory: string
  readonly options: RunOptions
}

async function runBySsh({ parts, ssh, directory, options }: SshRun, context: RunContext): Promise<number> {
  const { layer, outside } = options
  const key = ssh.keyFile === undefined ? await makeSshKey(directory, context.signal) : undefined
  const publicKey = await readKey(ssh.keyFile ?? key?.publicFile ?? '')
  const port = ssh.port ?? (await findFreePort())
  const machine = new Machine({
    parts: {
      ...parts,
      console: 'socket',
      credentials: makeSshCredentials({ user: ssh.user, publicKeys: [publicKey] }),
      network: { outside, forwards: [{ hostPort: port, guestPort: 22 }] },
    },
    signal: context.signal,
    onConsole: (text) => context.emit({ event: 'output', layer, stream: 'stdout', text }),
  })
  const waiting = new AbortController()
  const ended = machine.ended.finally(() => waiting.abort())
  await waitForSsh(port, waiting.signal)
  if (waiting.signal.aborted) return endOf(machine, await ended, { layer, context })
  const login = makeSshArguments({
    port,
    user: ssh.user,
    ...(key === undefined ? {} : { privateFile: key.privateFile }),
  })
  if (key === undefined) {
    context.emit({ event: 'note', layer, text: `is up: ${login.join(' ')}` })
    return endOf(machine, await ended, { layer, context })
  }
  const session = startProgram([...login, ...(ssh.command === undefined ? [] : [ssh.command])], {
    terminal: true,
    env: sessionEnvironment(context),
  })
  const { exitCode } = await session.exited
  await machine.stop()
  return exitCode ?? 255
}

async function readKey(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new ImgError('INPUT_MISSING', `cannot read the public key ${file}`, {
      hint: 'give the file of a public key, such as ~/.ssh/id_ed25519.pub',
      path: file,
      cause,
    })
  })
  if (/^(ssh|ecdsa|sk)-\S+ [A-Za-z0-9+/]+=*( .*)?$/.test(text.trim())) return text
  throw new ImgError('INPUT_INVALID', `${file} holds no public key of ssh`, {
    hint: 'give the file that ends in .pub',
    path: file,
  })
}

/** What a terminal session needs of the user's environment. */
function sessionEnvironment({ env }: RunContext): Readonly<Record<string, string>> {
  const passed = ['HOME', 'TERM', 'LANG'].flatMap((name) => {
    const value = env[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  return Object.fromEntries(passed)
}

function endOf(
  machine: Machine,
  ending: Ending,
  { layer, context }: { readonly layer: string; readonly context: RunContext },
): number {
  if (context.signal.aborted) throw new ImgError('INTERRUPTED', `the machine of ${layer} was stopped`)
  if (ending.kind === 'powered-off' || ending.kind === 'restarted') return 0
  throw toEndingError(ending, { layer, output: machine.console.tail() })
}

/** Pure. A machine's end that nobody asked for. */
export function toEndingError(
  ending: Ending,
  about: { readonly layer: string; readonly output: string },
): ImgError {
  const message = `the machine of ${about.layer} ${describeEnding(ending)}`
  return new ImgError('LAYER_FAILED', message, { hint: adviseEnding(ending), ...about })
}
