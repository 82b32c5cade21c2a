// libguestfs's appliance as a machine that runs programs for us: guestfish boots it with the disks, mounts the tool tree
// as its root and starts our agent there. It dies with `img`, and its writable layer with the work folder.

import { open, writeFile } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import path from 'node:path'
import { ImgError } from '../errors.ts'
import type { RunContext } from '../context.ts'
import { runProgram } from '../run/process.ts'
import { agentProgram, portName } from './libguestfs-agent.ts'
import { guestfsEnv, insideOwnNamespace } from './libguestfs-programs.ts'
import { talkToAgent } from './libguestfs-talk.ts'
import type { Machine } from './namespace-session.ts'

export interface ApplianceOptions {
  /** Private; sockets and the appliance's writable layer are in it. */
  readonly directory: string
  /** Raw files. */
  readonly disks: ApplianceDisks
  /** Whether programs may reach the network of this machine. */
  readonly network: boolean
  readonly log: string
  /** Where programs are looked for. */
  readonly path?: string
}

export interface ApplianceDisks {
  /** Written to. */
  readonly image: string
  /** Its root. */
  readonly tools: string
  readonly inputs?: string
}

/** In the appliance. Its kernel looks for disks in parallel and calls them sda, sdb, … in the order they answer. */
export const diskDevice = (disk: keyof ApplianceDisks): string => `/dev/disk/guestfs/${disk}`

export interface Appliance extends Machine {
  /** Everything is written to the disk when this returns; throws BACKEND_UNAVAILABLE when it may not be. */
  close(): Promise<void>
}

/** Boots in half a minute without KVM. Throws BACKEND_UNAVAILABLE with what guestfish said. */
export async function openAppliance(options: ApplianceOptions, context: RunContext): Promise<Appliance> {
  const { directory } = options
  await writeFile(path.join(directory, 'agent.pl'), agentProgram)
  const env = await guestfsEnv(directory, context, options.path)
  const folder = await open(directory, 'r')
  const connected = listenOnce(`/proc/self/fd/${folder.fd}/agent.socket`)
  const tooLate = new AbortController()
  const limitTime = (): NodeJS.Timeout => setTimeout(() => tooLate.abort(), limitMs)
  const timer = limitTime()
  const ended: Promise<Ended> = runProgram(insideOwnNamespace(['guestfish'], context), {
    cwd: directory,
    env,
    input: guestfishScript(options),
    log: options.log,
    signal: AbortSignal.any([context.signal, tooLate.signal]),
  }).then(
    ({ exitCode, stdout, stderr }) => ({ isWhole: exitCode === 0, words: (stderr + stdout).trim() }),
    // Whoever waits for it asks for the reason then.
    (error: unknown) => ({ isWhole: false, words: error instanceof Error ? error.message : String(error) }),
  )
  const lastWords = ended.then(({ words }) => words)
  const port = await Promise.race([connected.socket, lastWords])
  const agent = typeof port === 'string' ? undefined : talkToAgent(port, lastWords)
  const isReady = agent !== undefined && (await agent.ready)
  clearTimeout(timer)
  connected.server.close()
  await folder.close()
  if (!isReady) {
    const output = await lastWords
    if (context.signal.aborted)
      throw new ImgError('INTERRUPTED', 'the start of the appliance was interrupted')
    const limit = tooLate.signal.aborted ? ` within ${limitMs / 60_000} minutes` : ''
    throw new ImgError('BACKEND_UNAVAILABLE', `the appliance of libguestfs did not start${limit}`, {
      output,
      hint: 'run `libguestfs-test-tool` and `img doctor`: a kernel in /boot the user may read is needed',
    })
  }
  return {
    run: (argv, program = {}) => agent.run(argv, program),
    stream: (argv, program = {}) => agent.stream(argv, program),
    close: async () => {
      agent.quit()
      const closing = limitTime()
      const { isWhole, words } = await ended
      clearTimeout(closing)
      if (isWhole) return
      if (context.signal.aborted)
        throw new ImgError('INTERRUPTED', 'the appliance of libguestfs was interrupted')
      throw new ImgError(
        'BACKEND_UNAVAILABLE',
        'the appliance of libguestfs ended before everything was on the disk',
        { output: words, hint: 'nothing was recorded; build again, and see that there is memory left' },
      )
    },
  }
}

interface Ended {
  readonly isWhole: boolean
  readonly words: string
}

/**
 * For its start and for its end. Building the appliance and booting it takes two minutes where the machine is emulated
 * and has other work.
 */
const limitMs = 15 * 60_000

/** Paths are relative to the work folder, which guestfish and qemu run in: a socket's path has at most 107 bytes. */
function guestfishScript({ disks, network }: ApplianceOptions): string {
  const { image, tools, inputs } = disks
  const toRead = (file: string, label: keyof ApplianceDisks): string =>
    `add-drive ${quoted(file)} format:raw readonly:true label:${label}`
  return [
    ...(network ? ['set-network true'] : []),
    `add-drive ${quoted(image)} format:raw cachemode:unsafe discard:enable label:image`,
    toRead(tools, 'tools'),
    ...(inputs === undefined ? [] : [toRead(inputs, 'inputs')]),
    'config -chardev socket,id=imgagent,path=agent.socket',
    `config -device virtserialport,chardev=imgagent,name=${portName}`,
    'run',
    `mount-options noatime ${diskDevice('tools')} /`,
    'upload agent.pl /agent.pl',
    'sh "exec perl /agent.pl"',
    '',
  ].join('\n')
}

const quoted = (text: string): string => `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`

function listenOnce(at: string): { readonly server: Server; readonly socket: Promise<Socket> } {
  const server = createServer()
  const socket = new Promise<Socket>((resolve) => server.once('connection', resolve))
  server.listen(at)
  return { server, socket }
}
