// A network of a build's own: what is in it, what is not, and what is left of it.

import { mkdirSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openBuildNetwork, type BuildNetwork } from '../../../tasks/backends/build-network.ts'
import { runProgram } from '../../../tasks/run/process.ts'
import { testContext } from '../../rig/run-context.ts'

const body = 'x'.repeat(300_000)

describe('the network of a build', () => {
  it.each([false, true])('has its endpoints and nothing else (user namespace: %s)', async (userNamespace) => {
    const [port, other] = [await serve(), await serve()]
    const network = await open(port, userNamespace)
    expect(await get(network, `127.0.0.1:${port}`)).toBe(String(body.length))
    const several = await Promise.all([1, 2, 3, 4, 5].map(() => get(network, `127.0.0.1:${port}`)))
    expect(several).toEqual(several.map(() => String(body.length)))
    expect(await get(network, `127.0.0.1:${other}`)).toBe('refused')
    expect(await get(network, '192.0.2.1:80')).toBe('unreachable')
    await network.close()
  })

  it('says that an endpoint is gone by closing the connection', async () => {
    const network = await open(1, false)
    expect(await get(network, '127.0.0.1:1')).toBe('')
    await network.close()
  })

  it('leaves nothing open when one of its endpoints cannot be made', async () => {
    const directory = join(testContext().root, 'network')
    mkdirSync(directory)
    const before = process
      .getActiveResourcesInfo()
      .filter((name) => name === 'PipeServerWrap' || name === 'PipeWrap')
    const twice = [
      { host: '127.0.0.1', port: 1 },
      { host: '127.0.0.2', port: 1 },
    ]
    await expect(openBuildNetwork({ directory, endpoints: twice, userNamespace: false })).rejects.toThrow(
      'EADDRINUSE',
    )
    await new Promise((resolve) => setImmediate(resolve))
    const after = process
      .getActiveResourcesInfo()
      .filter((name) => name === 'PipeServerWrap' || name === 'PipeWrap')
    expect(after).toEqual(before)
  })

  it('takes a folder whose path no socket could have', async () => {
    const port = await serve()
    const network = await open(port, false, 'long-'.repeat(30))
    expect(await get(network, `127.0.0.1:${port}`)).toBe(String(body.length))
    await network.close()
  })
})

/** A server of this host. */
async function serve(): Promise<number> {
  const server = createServer((_, response) => response.end(body))
  onTestFinished(() => void server.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

function open(port: number, userNamespace: boolean, name = 'net'): Promise<BuildNetwork> {
  const directory = join(testContext().root, name)
  mkdirSync(directory)
  return openBuildNetwork({ directory, endpoints: [{ host: '127.0.0.1', port }], userNamespace })
}

/** How much the server there sends, or why nothing comes. */
async function get(network: BuildNetwork, address: string): Promise<string> {
  const { stdout } = await runProgram(network.enter(['perl', '-e', client, address]), { timeoutMs: 20_000 })
  return stdout
}

const client = `
use IO::Socket::INET;
my $socket = IO::Socket::INET->new(PeerAddr => $ARGV[0], Timeout => 5);
if (!$socket) { print $!{ECONNREFUSED} ? 'refused' : $!{ENETUNREACH} ? 'unreachable' : "$!"; exit }
print $socket "GET / HTTP/1.0\\r\\n\\r\\n";
local $/; my $answer = <$socket>; $answer =~ s/^.*?\\r\\n\\r\\n//s;
print length $answer if $answer ne '';
`
