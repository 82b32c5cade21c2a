import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openRemote } from '../../../cache/remotes/open-remote.ts'
import { blobName } from '../../../cache/remotes/remote.ts'
import { digestOf, reading, signal } from '../../contract/remote.ts'
import { startObjectServer } from '../../rig/object-server.ts'
import { tempFolder } from '../../rig/temp-folder.ts'

const data = Buffer.from('x')
const name = blobName(digestOf(data))

test.each([
  ['file:///srv/img', '/srv/img'],
  ['https://cache.example.org/img', 'https://cache.example.org/img'],
  ['s3://images/team', 's3://images/team'],
  ['s3://images', 's3://images'],
  ['oci://registry.example.org/team/images', 'oci://registry.example.org/team/images'],
])('%s is known as %s', (url, known) => {
  expect(openRemote(url, {}).name).toBe(known)
})

test('an S3 request is signed for its bucket, region and place', async () => {
  const server = await startObjectServer()
  const remote = openRemote(`s3://images/team?endpoint=${server.url.href}&region=eu-1`, {
    AWS_ACCESS_KEY_ID: 'AKID',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_SESSION_TOKEN: 'token',
  })
  expect(await remote.create(name, data, { signal })).toBe('created')
  expect(await remote.create(name, data, { signal })).toBe('there')
  expect((await remote.read(name, reading()))?.toString()).toBe('x')
  expect(server.requests).toEqual(['PUT', 'PUT', 'GET'].map((method) => `${method} /images/team/${name}`))
  for (const headers of server.headers) {
    expect(headers.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKID\/\d{8}\/eu-1\/s3\/aws4_request, SignedHeaders=(?:if-none-match;|host;|x-amz-[a-z0-9-]+[;,])+ Signature=[0-9a-f]{64}$/,
    )
    expect(headers['x-amz-security-token']).toBe('token')
    expect(JSON.stringify(headers)).not.toContain('secret')
  }
})

test.each([
  [{ IMG_REMOTE_TOKEN: 'abc' }, 'Bearer abc'],
  [{ IMG_REMOTE_USER: 'u', IMG_REMOTE_PASSWORD: 'p:q' }, `Basic ${Buffer.from('u:p:q').toString('base64')}`],
  [{}, undefined],
])('a web server is given the credentials of the environment: %j', async (env, wanted) => {
  const server = await startObjectServer()
  await openRemote(server.url.href, env).read(name, reading())
  expect(server.headers.map(({ authorization }) => authorization)).toEqual([wanted])
})

/** A registry that wants a token, and a server that gives one to whoever has the password. */
async function startRegistry(): Promise<{ url: string; seen: string[] }> {
  const seen: string[] = []
  const server = await startObjectServer({
    answer(request, response) {
      const { pathname, searchParams } = new URL(request.url ?? '', 'http://x')
      seen.push(`${request.method} ${pathname} ${request.headers.authorization ?? ''}`)
      request.resume()
      if (pathname === '/token') {
        const isUser = request.headers.authorization === `Basic ${Buffer.from('u:p').toString('base64')}`
        response.writeHead(isUser ? 200 : 401)
        response.end(JSON.stringify({ token: `for ${searchParams.get('scope')}` }))
      } else if (request.headers.authorization === undefined) {
        const realm = `http://127.0.0.1:${server.url.port}/token`
        response.writeHead(401, { 'www-authenticate': `Bearer realm="${realm}",service="registry"` })
        response.end('{"errors":[]}')
      } else response.writeHead(404).end()
      return true
    },
  })
  return { url: `oci://127.0.0.1:${server.url.port}/team/images`, seen }
}

test('a registry that wants a token gets one, once', async () => {
  const { url, seen } = await startRegistry()
  const remote = openRemote(url, { IMG_REMOTE_USER: 'u', IMG_REMOTE_PASSWORD: 'p' })
  expect(await remote.read(name, reading())).toBeUndefined()
  expect(await remote.has(name, signal)).toBe(false)
  const blob = `/v2/team/images/blobs/sha256:${digestOf(data)}`
  const token = 'Bearer for repository:team/images:pull'
  expect(seen).toEqual([
    `GET ${blob} `,
    `GET /token Basic ${Buffer.from('u:p').toString('base64')}`,
    `GET ${blob} ${token}`,
    `HEAD ${blob} ${token}`,
  ])
})

test('what docker login wrote is a password, too', async () => {
  const { url } = await startRegistry()
  const folder = tempFolder()
  mkdirSync(join(folder, '.docker'))
  const auths = { [new URL(url).host]: { auth: Buffer.from('u:p').toString('base64') } }
  writeFileSync(join(folder, '.docker/config.json'), JSON.stringify({ auths }))
  expect(await openRemote(url, { HOME: folder }).read(name, reading())).toBeUndefined()
  await expect(openRemote(url, { HOME: tempFolder() }).read(name, reading())).rejects.toMatchObject({
    fault: 'denied',
  })
})
