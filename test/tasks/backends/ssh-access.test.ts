import { createServer, type Server } from 'node:net'
import { readFileSync } from 'node:fs'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  findFreePort,
  makeSshArguments,
  makeSshCredentials,
  makeSshKey,
  waitForSsh,
} from '../../../tasks/backends/ssh-access.ts'
import { findProgram } from '../../../tasks/run/find-program.ts'
import { testContext } from '../../rig/run-context.ts'

describe('makeSshCredentials', () => {
  it('lets one user in by key, against whatever the image says of all', () => {
    const credentials = makeSshCredentials({ user: 'root', publicKeys: ['ssh-ed25519 AAAA me\n'] })
    const contents = (credentials['tmpfiles.extra'] ?? '')
      .split('\n')
      .map((line) => line.split(' '))
      .map(([kind = '', path = '', , , , , data = '']) => [
        kind,
        path,
        Buffer.from(data, 'base64').toString(),
      ])
    expect(contents).toEqual([
      ['d', '/run/img', ''],
      ['d', '/etc/ssh/sshd_config.d', ''],
      ['f+~', '/run/img/authorized_keys', 'ssh-ed25519 AAAA me\n'],
      [
        'f+~',
        '/etc/ssh/sshd_config.d/00-img.conf',
        `Match User root
  PermitRootLogin prohibit-password
  PubkeyAuthentication yes
  AuthenticationMethods publickey
  AllowGroups *
  AuthorizedKeysFile /run/img/authorized_keys
Match all
`,
      ],
      ['', '', ''],
    ])
  })
})

describe('makeSshArguments', () => {
  it('uses the key of the run and no other, and asks nothing', () => {
    expect(makeSshArguments({ port: 2222, user: 'root', privateFile: '/run/key' }).join(' ')).toBe(
      'ssh -p 2222 -o LogLevel=ERROR -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o IdentitiesOnly=yes -i /run/key root@127.0.0.1',
    )
    expect(makeSshArguments({ port: 2222, user: 'debian' }).join(' ')).toBe(
      'ssh -p 2222 -o LogLevel=ERROR -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null debian@127.0.0.1',
    )
  })
})

describe('waitForSsh', () => {
  it('waits for a greeting of ssh: an open port is not enough', async () => {
    const greetings = [undefined, 'HTTP/1.1 400\r\n', 'SSH-2.0-OpenSSH_9.2\r\n', 'never asked for']
    await waitForSsh(await listen(greetings), new AbortController().signal)
    expect(greetings).toEqual(['never asked for'])
  })

  it('gives up when told to', async () => {
    const controller = new AbortController()
    const waited = waitForSsh(await findFreePort(), controller.signal)
    controller.abort()
    await expect(waited).resolves.toBe(undefined)
  })
})

describe.skipIf(findProgram('ssh-keygen') === undefined)('makeSshKey', () => {
  it('makes a pair nobody else can read, and says when it cannot', async () => {
    const { root, signal } = testContext()
    const key = await makeSshKey(root, signal)
    expect(readFileSync(key.publicFile, 'utf8')).toMatch(/^ssh-ed25519 \S+ img\n$/)
    await expect(makeSshKey(`${root}/missing`, signal)).rejects.toMatchObject({
      code: 'BACKEND_UNAVAILABLE',
      message: 'cannot make an ssh key',
      fields: { hint: 'look at what ssh-keygen says', path: `${root}/missing/key` },
    })
  })
})

/** A server that greets each caller with the next of these, or hangs up. */
async function listen(greetings: (string | undefined)[]): Promise<number> {
  const server: Server = createServer((socket) => {
    const greeting = greetings.shift()
    if (greeting === undefined) socket.destroy()
    else socket.end(greeting)
  })
  onTestFinished(() => void server.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}
