// A registry that keeps what it is given in memory, as the distribution specification has it.

import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

export interface FakeRegistry {
  /** `127.0.0.1:PORT`. */
  readonly host: string
  /** By repository and digest, `web sha256:…`. */
  readonly blobs: Map<string, Buffer>
  /** By repository and tag, `web latest`. */
  readonly manifests: Map<string, Buffer>
  /** `PUT /v2/…`, in order, without queries. */
  readonly requests: string[]
}

export interface FakeRegistryOptions {
  /** Of whom it wants a name and a password. */
  readonly login?: string
  /** Answers instead of the registry; true when it did. */
  readonly answer?: (request: IncomingMessage, response: ServerResponse) => boolean
  /** Tags it lists at once. */
  readonly page?: number
  /** Whether a repository gets what another one has. */
  readonly mounts?: boolean
}

export async function startFakeRegistry(options: FakeRegistryOptions = {}): Promise<FakeRegistry> {
  const kept = { blobs: new Map<string, Buffer>(), manifests: new Map<string, Buffer>() }
  const requests: string[] = []
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url?.replace(/\?.*/, '')}`)
    const login = options.login && `Basic ${Buffer.from(options.login).toString('base64')}`
    if (login !== undefined && request.headers.authorization !== login) {
      request.resume()
      response.writeHead(401, { 'www-authenticate': 'Basic realm="registry"' }).end('{}')
    } else if (options.answer?.(request, response) !== true) {
      void bodyOf(request).then((body) =>
        serve({ ...kept, page: 1000, mounts: true, ...options }, { request, body }, response),
      )
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, ...kept, requests }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts)
}

type Serving = Pick<FakeRegistry, 'blobs' | 'manifests'> &
  Required<Pick<FakeRegistryOptions, 'page' | 'mounts'>>

function serve(
  { blobs, manifests, page, mounts }: Serving,
  { request, body }: { readonly request: IncomingMessage; readonly body: Buffer },
  response: ServerResponse,
): void {
  const url = new URL(request.url ?? '/', 'http://registry')
  const [, repository = '', kind = '', name = ''] =
    /^\/v2\/(.+?)\/(blobs|manifests|tags)\/(.*)$/.exec(url.pathname) ?? []
  const at = (thing: string): string => `${repository} ${thing}`
  if (request.method === 'POST') {
    const [mount, from] = ['mount', 'from'].map((key) => url.searchParams.get(key))
    const known = mounts ? blobs.get(`${from} ${mount}`) : undefined
    if (known !== undefined) blobs.set(at(mount ?? ''), known)
    response.writeHead(known === undefined ? 202 : 201, { location: `${url.pathname}1?state=x` }).end()
  } else if (request.method === 'PUT' && kind === 'blobs') {
    const digest = url.searchParams.get('digest') ?? ''
    const isWhole = digest === `sha256:${createHash('sha256').update(body).digest('hex')}`
    if (isWhole) blobs.set(at(digest), body)
    response.writeHead(isWhole ? 201 : 400).end()
  } else if (request.method === 'PUT') {
    const { config, layers } = JSON.parse(body.toString()) as Record<string, { readonly digest: string }[]>
    const isWhole = [config, layers].flat().every((blob) => blobs.has(at(blob!.digest)))
    if (isWhole) manifests.set(at(name), body)
    response.writeHead(isWhole ? 201 : 404).end()
  } else if (kind === 'tags') {
    const own = [...manifests.keys()].filter((tag) => tag.startsWith(at('')))
    sendTags(own.map((tag) => tag.slice(at('').length)).toSorted(), { page, url, response })
  } else {
    const found = (kind === 'blobs' ? blobs : manifests).get(at(name))
    response.writeHead(found === undefined ? 404 : 200, { 'content-length': found?.length ?? 0 })
    response.end(request.method === 'HEAD' ? undefined : found)
  }
}

function sendTags(
  all: readonly string[],
  { page, url, response }: { readonly page: number; readonly url: URL; readonly response: ServerResponse },
): void {
  if (all.length === 0) {
    response.writeHead(404).end('{"errors":[{"code":"NAME_UNKNOWN"}]}')
    return
  }
  const rest = all.filter((tag) => tag > (url.searchParams.get('last') ?? ''))
  const tags = rest.slice(0, page)
  const next = rest.length > page ? { link: `<${url.pathname}?last=${tags.at(-1)}>; rel="next"` } : {}
  response.writeHead(200, next).end(JSON.stringify({ name: 'x', tags }))
}
