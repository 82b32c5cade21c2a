import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openContent, type Content } from '../../../cache/mirror/content.ts'
import { openUpstream, type Upstream, type UpstreamLimits } from '../../../cache/mirror/upstream.ts'
import type { RunContext } from '../../../tasks/context.ts'
import { makeFolder, sha256 } from '../../rig/fake-archive.ts'
import { quick } from '../../rig/archive-project.ts'
import { startFakeMirror, type FakeMirror } from '../../rig/fake-mirror.ts'

let folder: ReturnType<typeof makeFolder>
let mirror: FakeMirror
let content: Content
const bytes = Buffer.from('some bytes')
const wanted = { sha256: sha256(bytes), size: bytes.length }

beforeEach(async () => {
  folder = makeFolder()
  mirror = await startFakeMirror()
  mirror.files.set('/file', bytes)
  content = openContent(folder.path)
})
afterEach(async () => {
  await mirror.down()
  folder.remove()
})

function open(changed: Partial<RunContext> = {}, limits: Partial<UpstreamLimits> = {}): Upstream {
  const context = { env: {}, signal: new AbortController().signal, ...changed } as RunContext
  return openUpstream({ content, directory: folder.path, limits: { ...quick, ...limits } }, context)
}

test('a download is counted', async () => {
  const upstream = open()
  expect(upstream.traffic()).toEqual({ requests: 0, bytes: 0 })
  expect(await upstream.download(`${mirror.url}/file`, wanted)).toEqual({ status: 'stored' })
  expect(upstream.traffic()).toEqual({ requests: 1, bytes: 10 })
  expect(await content.read(wanted.sha256)).toEqual(bytes)
})

test('a file that comes too slowly is given up, although bytes keep coming', async () => {
  const server = createServer((_, response) => {
    response.writeHead(200)
    const drip = setInterval(() => response.write('.'), 20)
    response.on('close', () => clearInterval(drip))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const slow = { sha256: sha256('x'), size: 1000 }
  const limits = { attempts: 1, graceMs: 100, slowestBytesPerSecond: 10_000 }
  expect(await open({}, limits).download(`http://127.0.0.1:${port}/`, slow)).toEqual({
    status: 'unreachable',
    reason: 'took longer than 0.2 s',
  })
  server.closeAllConnections()
  server.close()
})

test('a file that is kept and comes in many pieces leaves nothing that Node warns of', async () => {
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-length': '40', etag: '"1"' })
    let sent = 0
    const drip = setInterval(() => {
      response.write('.')
      sent += 1
      if (sent === 40) response.end()
      if (sent === 40) clearInterval(drip)
    }, 2)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const warnings: string[] = []
  const warn = ({ message }: Error): void => void warnings.push(message)
  process.on('warning', warn)
  try {
    const dots = Buffer.from('.'.repeat(40))
    const read = await open().read(`http://127.0.0.1:${port}/`)
    expect([read, warnings]).toEqual([{ status: 'current', bytes: dots }, []])
  } finally {
    process.off('warning', warn)
    server.close()
  }
})

test.each([['silent' as const], [{ stallAfter: 4 }]])(
  '%j is given up after the idle limit',
  async (fault) => {
    mirror.faults.set('/file', [fault])
    const limits = { idleMs: 200, attempts: 2 }
    expect(await open({}, limits).download(`${mirror.url}/file`, wanted)).toEqual({
      status: 'unreachable',
      reason: 'sent nothing for 0.2 s',
    })
    expect(mirror.requests).toHaveLength(2)
  },
)

test.each([['silent' as const], [{ stallAfter: 4 }]])('one %j is got over', async (fault) => {
  mirror.faults.set('/file', [fault, 'none'])
  const limits = { idleMs: 1000, attempts: 3 }
  expect(await open({}, limits).download(`${mirror.url}/file`, wanted)).toEqual({ status: 'stored' })
})

test('an interrupt ends a download that waits', async () => {
  mirror.faults.set('/file', ['silent'])
  const controller = new AbortController()
  const download = open({ signal: controller.signal }, { idleMs: 60_000 }).download(
    `${mirror.url}/file`,
    wanted,
  )
  setImmediate(() => controller.abort())
  await expect(download).rejects.toMatchObject({ code: 'INTERRUPTED', message: 'a download was interrupted' })
})

test('redirects are followed', async () => {
  const server = createServer((_, response) => {
    response.writeHead(302, { location: `${mirror.url}/file` }).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  expect(await open().download(`http://127.0.0.1:${port}/x`, wanted)).toEqual({ status: 'stored' })
  server.closeAllConnections()
  server.close()
})

test('http_proxy is used, and not for what no_proxy names', async () => {
  const asked: string[] = []
  const proxy = createServer((request, response) => {
    asked.push(request.url ?? '')
    response.end(bytes)
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const { port } = proxy.address() as AddressInfo
  const env = { http_proxy: `http://127.0.0.1:${port}`, no_proxy: '127.0.0.1' }
  expect(await open({ env }).download('http://mirror.example.org/file', wanted)).toEqual({ status: 'stored' })
  expect(asked).toEqual(['http://mirror.example.org/file'])
  expect(await open({ env }).read(`${mirror.url}/file`)).toEqual({ status: 'current', bytes })
  expect(asked).toHaveLength(1)
  proxy.closeAllConnections()
  proxy.close()
})

test('user and password of the URL are sent, and are in no reason', async () => {
  const sent: (string | undefined)[] = []
  const server = createServer((request, response) => {
    sent.push(request.headers.authorization)
    response.writeHead(401).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const url = `http://me:secret@127.0.0.1:${port}/x`
  expect(await open().read(url)).toEqual({ status: 'unreachable', reason: 'answered 401' })
  expect(sent).toEqual([`Basic ${Buffer.from('me:secret').toString('base64')}`])
  await new Promise<void>((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
  expect(JSON.stringify(await open().read(url))).not.toContain('secret')
})

describe('a file that changes', () => {
  test('is asked for again, and not sent again when it is the same', async () => {
    const upstream = open()
    expect(await upstream.read(`${mirror.url}/file`)).toEqual({ status: 'current', bytes })
    expect(await upstream.read(`${mirror.url}/file`)).toEqual({ status: 'current', bytes })
    expect(upstream.traffic()).toEqual({ requests: 2, bytes: 10 })
    mirror.files.set('/file', Buffer.from('new'))
    expect(await upstream.read(`${mirror.url}/file`)).toEqual({
      status: 'current',
      bytes: Buffer.from('new'),
    })
  })

  test('is the last one seen while the mirror is down', async () => {
    await open().read(`${mirror.url}/file`)
    await mirror.down()
    expect(await open().read(`${mirror.url}/file`)).toEqual({ status: 'cached', bytes })
  })

  test.each([
    [[{ cutAfter: 3 }], 'the connection was cut'],
    [[{ status: 503 }], 'answered 503'],
  ])('%j', async (faults, reason) => {
    mirror.faults.set('/file', faults)
    expect(await open().read(`${mirror.url}/file`)).toEqual({ status: 'unreachable', reason })
    mirror.faults.clear()
    expect(await open().read(`${mirror.url}/file`)).toEqual({ status: 'current', bytes })
  })
})
