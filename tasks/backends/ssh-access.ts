// How one gets into a running image whose accounts are locked: a key for this run only, laid under /run by a system
// credential, and an sshd setting for that one user. Only the throw-away overlay changes.

import { createConnection, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { ImgError } from '../errors.ts'
import { runProgram } from '../run/process.ts'
import { fileLine } from './guest-script.ts'

export interface SshAccess {
  readonly user: string
  /** Lines of an authorized_keys file. */
  readonly publicKeys: readonly string[]
}

/** Pure. System credentials that let the user in; needs systemd 250 and Debian's `Include` of sshd_config.d. */
export function makeSshCredentials({ user, publicKeys }: SshAccess): Readonly<Record<string, string>> {
  const keys = `${publicKeys.map((key) => key.trim()).join('\n')}\n`
  // What is set for a matching user wins over whatever the image sets for all.
  const setting = `Match User ${user}
  PermitRootLogin prohibit-password
  PubkeyAuthentication yes
  AuthenticationMethods publickey
  AllowGroups *
  AuthorizedKeysFile /run/img/authorized_keys
Match all
`
  return {
    'tmpfiles.extra': [
      'd /run/img 0755 root root -',
      'd /etc/ssh/sshd_config.d 0755 root root -',
      fileLine('/run/img/authorized_keys', keys),
      fileLine('/etc/ssh/sshd_config.d/00-img.conf', setting),
      '',
    ].join('\n'),
  }
}

/** A key pair that lives as long as the folder. */
export async function makeSshKey(
  directory: string,
  signal: AbortSignal,
): Promise<{ readonly privateFile: string; readonly publicFile: string }> {
  const privateFile = join(directory, 'key')
  const { exitCode, stderr } = await runProgram(
    ['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', 'img', '-f', privateFile],
    { signal },
  )
  if (exitCode !== 0) {
    throw new ImgError('BACKEND_UNAVAILABLE', 'cannot make an ssh key', {
      hint: 'look at what ssh-keygen says',
      path: privateFile,
      output: stderr.trim(),
    })
  }
  return { privateFile, publicFile: `${privateFile}.pub` }
}

/** Pure. The host's keys are new with every overlay, so there is nothing to compare them with. */
export const makeSshArguments = (at: {
  readonly port: number
  readonly user: string
  readonly privateFile?: string
}): readonly string[] =>
  [
    ['ssh', '-p', String(at.port), '-o', 'LogLevel=ERROR'],
    ['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null'],
    at.privateFile === undefined ? [] : ['-o', 'IdentitiesOnly=yes', '-i', at.privateFile],
    [`${at.user}@127.0.0.1`],
  ].flat()

/** Resolves when an ssh server greets on the port; qemu accepts connections long before that. */
export async function waitForSsh(port: number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && !(await greets(port, signal))) {
    // oxlint-disable-next-line no-await-in-loop -- one attempt after another
    await delay(1000, undefined, { signal }).catch(() => undefined)
  }
}

function greets(port: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1' })
    const done = (greeted: boolean): void => {
      signal.removeEventListener('abort', stop)
      socket.destroy()
      resolve(greeted)
    }
    const stop = (): void => done(false)
    signal.addEventListener('abort', stop)
    socket.setTimeout(10_000, () => done(false))
    socket.once('data', (data) => done(data.toString('latin1').startsWith('SSH-')))
    socket.once('error', () => done(false))
    socket.once('close', () => done(false))
  })
}

/** A port nobody listens on now; somebody else may take it before it is used. */
export function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' && address !== null ? address.port : 0
      server.close(() => resolve(port))
    })
  })
}
