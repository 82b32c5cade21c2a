import { expect, test } from 'vitest'
import { httpRemote } from '../../../cache/remotes/http.ts'
import { httpRequest } from '../../../cache/remotes/http-request.ts'
import { blobName, type RemoteError } from '../../../cache/remotes/remote.ts'
import { describeRemote, digestOf, reading, recordName, signal } from '../../contract/remote.ts'
import { startObjectServer, type ObjectServerOptions } from '../../rig/object-server.ts'

const ask = httpRequest

describeRemote('a web server', async () => {
  const { url } = await startObjectServer()
  return httpRemote(url, { ask, conditional: true })
})

describeRemote('a web server without conditions and ranges', async () => {
  const { url } = await startObjectServer({ ranges: false, conditional: false })
  return httpRemote(url, { ask, conditional: false })
})

const name = blobName(digestOf(Buffer.from('x')))

test('WebDAV folders are made where the server wants them', async () => {
  const made = new Set<string>()
  const server = await startObjectServer({
    answer(request, response) {
      const folder = (request.url ?? '').replace(/[^/]+$/, '')
      if (request.method === 'MKCOL') made.add(request.url ?? '')
      if (request.method === 'PUT' && made.has(folder)) return false
      if (request.method !== 'PUT' && request.method !== 'MKCOL') return false
      request.resume()
      response.writeHead(request.method === 'MKCOL' ? 201 : 409).end()
      return true
    },
  })
  const remote = httpRemote(new URL('store', server.url), { ask, conditional: false })
  expect(await remote.create(name, Buffer.from('x'), { signal })).toBe('created')
  expect([...made]).toEqual(['/store/blobs/', `/store/${name.split('/').slice(0, 2).join('/')}/`])
  expect((await remote.read(name, reading()))?.toString()).toBe('x')
})

const answering = (answer: NonNullable<ObjectServerOptions['answer']>): ObjectServerOptions => ({ answer })

test.each([
  ['a refusal', 403, {}, 'denied', 'refuses (HTTP 403)'],
  ['a login', 401, {}, 'denied', 'refuses (HTTP 401)'],
  ['an overload', 503, {}, 'busy', 'answers HTTP 503'],
  ['too many requests', 429, { 'retry-after': '7' }, 'busy', 'answers HTTP 429'],
  ['something odd', 418, {}, 'answer', 'answers HTTP 418'],
  ['a part of something else', 206, { 'content-range': 'bytes 5-9/10' }, 'answer', 'answers HTTP 206'],
])('%s is a fault by its kind', async (...[, status, headers, fault, message]) => {
  const server = await startObjectServer(
    answering((request, response) => {
      response.writeHead(status, headers as Record<string, string>).end('no')
      return request !== undefined
    }),
  )
  const error: unknown = await httpRemote(server.url, { ask, conditional: true })
    .read(name, reading())
    .catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ fault, message: `${server.url.href}${name} ${message}` })
  const later = 'retry-after' in headers ? 7000 : undefined
  expect((error as RemoteError).retryAfterMs).toBe(later)
})

test('another part than was asked for is refused', async () => {
  const server = await startObjectServer(
    answering((_, response) => {
      response.writeHead(206, { 'content-range': 'bytes 5-9/10' }).end('01234')
      return true
    }),
  )
  const remote = httpRemote(server.url, { ask, conditional: true })
  await expect(remote.read(name, reading({ range: { start: 0, end: 5 } }))).rejects.toMatchObject({
    fault: 'answer',
    message: `${server.url.href}${name} sends another part than was asked for`,
  })
})

test('a body that ends early is a broken connection, whether or not the length was said', async () => {
  const server = await startObjectServer(
    answering((_, response, count) => {
      if (count === 1) response.writeHead(200, { 'content-length': 10 })
      response.write('01234')
      setTimeout(() => response.destroy(), 20)
      return true
    }),
  )
  const remote = httpRemote(server.url, { ask, conditional: true })
  await expect(remote.read(name, reading())).rejects.toMatchObject({ fault: 'unreachable' })
  await expect(remote.read(name, reading())).rejects.toMatchObject({ fault: 'unreachable' })
})

test('a body without end stops at its limit', async () => {
  const server = await startObjectServer(
    answering((_, response) => {
      response.writeHead(200)
      const timer = setInterval(() => response.write(Buffer.alloc(64 * 1024)), 1)
      response.on('close', () => clearInterval(timer))
      return true
    }),
  )
  const remote = httpRemote(server.url, { ask, conditional: true })
  await expect(remote.read(name, reading({ limit: 300_000 }))).rejects.toMatchObject({
    fault: 'answer',
    message: `${server.url.href}${name} sends more than the 300000 bytes there can be`,
  })
})

test('a compressed answer nobody asked for is refused', async () => {
  const server = await startObjectServer(
    answering((_, response) => {
      response.writeHead(200, { 'content-encoding': 'br' }).end()
      return true
    }),
  )
  const remote = httpRemote(server.url, { ask, conditional: true })
  await expect(remote.read(name, reading())).rejects.toMatchObject({
    fault: expect.stringMatching(/answer|unreachable/),
  })
})

test('nobody there is unreachable', async () => {
  const remote = httpRemote(new URL('http://127.0.0.1:1/'), { ask, conditional: true })
  await expect(remote.read(name, reading())).rejects.toMatchObject({ fault: 'unreachable' })
})

test('redirects are followed a few times, without credentials to another origin', async () => {
  const target = await startObjectServer()
  target.objects.set('/elsewhere', Buffer.from('there'))
  const origin = await startObjectServer(
    answering((request, response) => {
      const to = request.url === '/hop' ? `${target.url.href}elsewhere` : '/hop'
      response.writeHead(302, { location: to }).end()
      return true
    }),
  )
  const { body } = await httpRequest({
    method: 'GET',
    url: new URL('start', origin.url),
    signal,
    limit: 100,
    authorize,
  })
  expect(body.toString()).toBe('there')
  expect(origin.headers.map(({ authorization }) => authorization)).toEqual(['Bearer secret', 'Bearer secret'])
  expect(target.headers.map(({ authorization }) => authorization)).toEqual([undefined])
})

test.each([
  ['file:///etc/passwd', 'redirects to "file:///etc/passwd"'],
  ['http://user:secret@127.0.0.1/', 'redirects to "http://user:secret@127.0.0.1/"'],
  ['http://[', 'redirects to "http://["'],
  ['http://169.254.169.254/secrets', 'redirects to the link-local http://169.254.169.254/secrets'],
  ['http://2852039166/', 'redirects to the link-local http://169.254.169.254/'],
  ['http://[fe80::1]/', 'redirects to the link-local http://[fe80::1]/'],
  ['http://[::ffff:169.254.169.254]/', 'redirects to the link-local http://[::ffff:a9fe:a9fe]/'],
])('a redirect to %s is refused', async (location, message) => {
  const server = await startObjectServer(
    answering((_, response) => {
      response.writeHead(302, { location }).end()
      return true
    }),
  )
  await expect(httpRequest({ method: 'GET', url: server.url, signal, limit: 100 })).rejects.toMatchObject({
    fault: 'answer',
    message: `${server.url.href} ${message}`,
  })
})

test('a circle of redirects ends', async () => {
  const server = await startObjectServer(
    answering((_, response) => {
      response.writeHead(307, { location: '/again' }).end()
      return true
    }),
  )
  await expect(httpRequest({ method: 'GET', url: server.url, signal, limit: 100 })).rejects.toMatchObject({
    message: `${server.url.href} redirects more than 5 times`,
  })
  expect(server.requests).toHaveLength(6)
})

test('what the caller aborts is no fault of the remote', async () => {
  const server = await startObjectServer(answering(() => true))
  const controller = new AbortController()
  const running = httpRemote(server.url, { ask, conditional: true }).read(
    recordName(),
    reading({ signal: controller.signal }),
  )
  setTimeout(() => controller.abort(), 20)
  await expect(running).rejects.toThrow('aborted')
})

const authorize = async (): Promise<Record<string, string>> => ({ authorization: 'Bearer secret' })

test('a body too large for the memory has its length, and is read again where it has to go', async () => {
  const server = await startObjectServer(
    answering((request, response) => {
      if (request.url !== '/start') return false
      request.resume()
      response.writeHead(307, { location: '/end' }).end()
      return true
    }),
  )
  const part = Buffer.alloc(64 * 1024, 'part')
  let reads = 0
  async function* read(): AsyncGenerator<Buffer> {
    reads += 1
    for (let sent = 0; sent < 32; sent++) yield part
  }
  const body = { length: 32 * part.length, read }
  const url = new URL('start', server.url)
  expect(await httpRequest({ method: 'PUT', url, signal, limit: 0, body })).toMatchObject({ status: 201 })
  expect(server.objects.get('/end')).toEqual(Buffer.concat(Array<Buffer>(32).fill(part)))
  expect(server.headers.map((headers) => headers['content-length'])).toEqual(['2097152', '2097152'])
  expect(reads).toBe(2)
})
