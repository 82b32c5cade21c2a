// A server as a child process on 127.0.0.1: waited for, and stopped by its process group.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { setTimeout } from 'node:timers/promises'

/** Returns how to stop it when it takes connections on the port; what it says is in the error when it does not. */
export async function startServer(
  argv: readonly string[],
  options: { readonly port: number; readonly env?: Readonly<Record<string, string>> },
): Promise<() => Promise<void>> {
  const [program = '', ...args] = argv
  const child = spawn(program, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
    detached: true,
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += String(text)))
  const failed = once(child, 'error').then(([error]) => Promise.reject(error as Error))
  failed.catch(() => undefined)
  const ended = once(child, 'exit')
  const stop = async (): Promise<void> => {
    stopGroup(child, 'SIGTERM')
    await Promise.race([ended, setTimeout(5000)])
    stopGroup(child, 'SIGKILL')
  }
  for (let tries = 0; tries < 600; tries++) {
    if (child.exitCode !== null) break
    if (await Promise.race([answers(options.port), failed])) return stop
    await setTimeout(100)
  }
  await stop()
  throw new Error(`${argv.join(' ')} does not listen on ${options.port}:\n${said}`)
}

/** The whole group: some servers are started by a script. */
function stopGroup({ exitCode, signalCode, pid }: ChildProcess, name: 'SIGTERM' | 'SIGKILL'): void {
  if (exitCode === null && signalCode === null && pid !== undefined) process.kill(-pid, name)
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
