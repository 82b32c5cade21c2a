// A puppetserver for one agent's run: it serves one control repository in a build's own network, gives one certificate
// and is gone afterwards with everything it made.

import { randomBytes } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import type { RunContext } from '../context.ts'
import { ImgError } from '../errors.ts'
import { runProgram, startProgram } from '../run/process.ts'
import type { Work } from './backend.ts'
import type { BuildNetwork } from './build-network.ts'
import { enterServer, revokeCertificate, runServer, serverReady } from './puppet-server-program.ts'

export interface PuppetServer {
  /** What signs the server's certificate and the agent's, PEM. */
  readonly ca: string
  /** Challenge password with which the agent's name gets its one certificate. */
  readonly token: string
  /** Throws STEP_FAILED when the agent's certificate could not be revoked. */
  readonly revoke: () => Promise<void>
  readonly close: () => Promise<void>
}

export interface ServerOptions {
  readonly work: Work
  readonly network: BuildNetwork
  /** Private. */
  readonly directory: string
  /** Folder of the control repository; only read. */
  readonly served: string
  readonly certname: string
  /** Milliseconds it may take to start. */
  readonly startMs?: number
}

/** Resolves when agents may come. Throws BACKEND_UNAVAILABLE with the server's last lines when it does not get there. */
export async function startPuppetServer(options: ServerOptions, context: RunContext): Promise<PuppetServer> {
  const { work, network, served, certname } = options
  const { tools, layer } = work
  if (tools === undefined) throw new Error(`layer ${layer} has no tool tree with a puppetserver`)
  if (context.uid !== 0) {
    throw new ImgError('BACKEND_UNAVAILABLE', `layer ${layer}: an ephemeral puppetserver needs root`, {
      layer,
      hint: "run img as root, or name a site's own server",
    })
  }
  const shared = join(options.directory, 'server')
  await mkdir(shared)
  const token = randomBytes(24).toString('hex')
  work.hide?.('the one-time token of puppet', token)
  const program = `${enterServer}exec chroot "$tools" /usr/bin/env -i ${environment} bash -euc "$5"`
  let said = ''
  const started = startProgram(
    network.enter(
      [
        'unshare --mount --propagation private --pid --ipc --uts --fork --kill-child=KILL --'.split(' '),
        ['bash', '-euc', program, 'bash', tools, served, shared, certname, runServer],
      ].flat(),
    ),
    {
      sockets: 1,
      onStderr: (text) => {
        said = text
        if (text.includes(serverReady)) ready?.(true)
      },
    },
  )
  let ready: ((isReady: boolean) => void) | undefined
  const stop = (): void => started.kill('SIGKILL')
  if (context.signal.aborted) stop()
  context.signal.addEventListener('abort', stop)
  const isReady = new Promise<boolean>((resolve) => (ready = resolve))
  const pipe = started.sockets[0] as Duplex
  pipe.on('error', () => undefined)
  pipe.end(`${token}\n`)
  const timer = setTimeout(() => ready?.(false), options.startMs ?? defaultStartMs)
  void started.exited.then(() => ready?.(false))
  const close = async (): Promise<void> => {
    context.signal.removeEventListener('abort', stop)
    started.kill('SIGKILL')
    await started.exited
    appendFileSync(work.log, `+ puppetserver\n${said}`)
  }
  const isUp = await isReady
  clearTimeout(timer)
  const ca = isUp ? await readFile(join(shared, 'ca.pem'), 'utf8').catch(() => undefined) : undefined
  if (ca === undefined) {
    await close()
    if (context.signal.aborted)
      throw new ImgError('INTERRUPTED', `layer ${layer}: the puppetserver was stopped`)
    throw new ImgError('BACKEND_UNAVAILABLE', `layer ${layer}: the puppetserver did not start`, {
      layer,
      hint: 'its last lines are below; it needs 1 GiB of memory',
      output: lastLines(said),
    })
  }
  return {
    ca,
    token,
    revoke: async () => {
      const argv = [
        'chroot',
        tools,
        '/usr/bin/env',
        '-i',
        ...environment.split(' '),
        ...revokeCertificate(certname),
      ]
      const inside = ['nsenter', '--target', String(started.pid), '--mount', '--net', '--', ...argv]
      const { exitCode, stdout, stderr } = await runProgram(inside, {
        log: work.log,
        timeoutMs: revokeMs,
        signal: context.signal,
      })
      if (exitCode === 0) return
      throw new ImgError('STEP_FAILED', `layer ${layer}: the certificate of ${certname} was not revoked`, {
        layer,
        hint: `run \`img log ${layer}\` for the whole output`,
        output: lastLines(stdout + stderr),
      })
    },
    close,
  }
}

const environment = 'PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 TZ=UTC HOME=/run/img'

/** A Java program of this size, emulation beside it, a busy machine. */
const defaultStartMs = 15 * 60_000
const revokeMs = 5 * 60_000

const lastLines = (text: string): string => text.trimEnd().split('\n').slice(-20).join('\n')
