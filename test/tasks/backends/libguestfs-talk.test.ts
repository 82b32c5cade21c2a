// The agent's program itself, on this machine, with a socket for its serial port.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished, test, expect } from 'vitest'
import { encodeFrame, replies } from '../../../tasks/backends/libguestfs-agent.ts'
import { talkToAgent, type Agent } from '../../../tasks/backends/libguestfs-talk.ts'
import { runProgram } from '../../../tasks/run/process.ts'
import { agentOnSocket } from '../../rig/agent-on-socket.ts'

async function openAgent(): Promise<{ readonly agent: Agent; readonly ended: Promise<string> }> {
  const folder = mkdtempSync(join(tmpdir(), 'img-agent-'))
  const socket = join(folder, 'port')
  writeFileSync(join(folder, 'agent.pl'), agentOnSocket(socket))
  const server = createServer()
  const connected = new Promise<Socket>((resolve) => server.once('connection', resolve))
  await new Promise<void>((resolve) => server.listen(socket, resolve))
  const ended = runProgram(['perl', join(folder, 'agent.pl')]).then(
    ({ exitCode, stderr }) => `exit code ${exitCode}${stderr}`,
  )
  const agent = talkToAgent(await connected, ended)
  onTestFinished(async () => {
    agent.quit()
    await ended
    server.close()
    rmSync(folder, { recursive: true })
  })
  expect(await agent.ready).toBe(true)
  return { agent, ended }
}

test('programs get arguments, environment and input, and give both streams and a code', async () => {
  const { agent } = await openAgent()
  const script = 'echo "$1 $NAME"; cat; echo error >&2; exit 3'
  const result = await agent.run(['sh', '-c', script, 'sh', 'ü "a" $b'], {
    env: { NAME: 'é\ny' },
    input: 'in\0put',
  })
  expect(result).toStrictEqual({
    exitCode: 3,
    stdout: 'ü "a" $b é\ny\nin\0put',
    stderr: 'error\n',
    timedOut: false,
  })
})

test('input that nobody reads, programs that are not there and signals', async () => {
  const { agent } = await openAgent()
  expect((await agent.run(['true'], { input: 'x'.repeat(1_000_000) })).exitCode).toBe(0)
  expect(await agent.run(['no-such-program'])).toMatchObject({
    exitCode: 127,
    stderr: 'cannot start no-such-program: No such file or directory\n',
  })
  expect((await agent.run(['sh', '-c', 'kill -TERM $$'])).exitCode).toBe(143)
})

test('programs run side by side, and output arrives as it is written', async () => {
  const { agent } = await openAgent()
  const seen: string[] = []
  const slow = agent.run(['sh', '-c', 'echo first; sleep 30'], { onOutput: (text) => seen.push(text) })
  expect((await agent.run(['echo', 'second'])).stdout).toBe('second\n')
  await expect.poll(() => seen).toStrictEqual(['first\n'])
  void slow
})

test('a stream of any length comes whole, while the reader is slow', async () => {
  const { agent } = await openAgent()
  const { output, ended } = agent.stream([
    'sh',
    '-c',
    'head -c 40000000 /dev/zero; echo end; echo error >&2; exit 2',
  ])
  let length = 0
  let last = ''
  for await (const part of output) {
    if (length % 5 === 0) await new Promise((resolve) => setImmediate(resolve))
    length += part.length
    last = part.subarray(-4).toString()
  }
  expect({ length, last }).toStrictEqual({ length: 40_000_004, last: 'end\n' })
  expect(await ended).toStrictEqual({ exitCode: 2, stdout: '', stderr: 'error\n', timedOut: false })
})

test('an interrupted program is killed and says so', async () => {
  const { agent } = await openAgent()
  const controller = new AbortController()
  const running = agent.run(['sleep', '600'], { signal: controller.signal })
  controller.abort()
  await expect(running).rejects.toThrow(
    expect.objectContaining({ code: 'INTERRUPTED', message: 'sleep was interrupted' }),
  )
})

test('a port somebody else writes to', async () => {
  const port = new PassThrough()
  const agent = talkToAgent(port, new Promise(() => undefined))
  const running = agent.run(['true'])
  port.emit('data', encodeFrame(replies.ready, 0))
  port.emit('data', Buffer.from('noise of a program'))
  expect(await agent.ready).toBe(true)
  expect(await running).toMatchObject({
    exitCode: 255,
    stderr: 'the appliance of libguestfs ended\nits port had a frame of 544171552 bytes\n',
  })
  expect(port.destroyed).toBe(true)
})

test('when the appliance ends, so does every program, with its last words', async () => {
  const { agent } = await openAgent()
  const running = agent.run(['sleep', '600'])
  agent.quit()
  const gone = { exitCode: 255, stdout: '', stderr: 'the appliance of libguestfs ended\nexit code 0\n' }
  expect(await running).toStrictEqual({ ...gone, timedOut: false })
  expect(await agent.run(['true'])).toStrictEqual({ ...gone, timedOut: false })
})
