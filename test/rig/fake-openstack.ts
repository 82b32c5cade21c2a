// Keystone and Glance in memory, as their API references have them.

import { createHash, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

export interface FakeOpenstack {
  /** `http://127.0.0.1:PORT`; keystone is at `/identity/v3`, glance at `/image`. */
  readonly url: string
  /** By id; a test may put some there itself. */
  readonly images: Map<string, FakeImage>
  readonly data: Map<string, Buffer>
  /** `GET /image/v2/images`, in order, without queries. */
  readonly requests: string[]
  /** What keystone was sent. */
  readonly logins: unknown[]
  /** Tokens that are good; a test may take one away. */
  readonly tokens: Set<string>
}

export type FakeImage = Readonly<Record<string, unknown>> & { readonly status: string }

export interface FakeOpenstackOptions {
  /** Without login by default. */
  readonly keystone?: boolean
  /** What becomes of the bytes. */
  readonly store?: (data: Buffer) => Buffer
  /** After the upload. */
  readonly status?: string
  /** Answers instead; true when it did. */
  readonly answer?: (request: IncomingMessage, response: ServerResponse) => boolean
}

export async function startFakeOpenstack(options: FakeOpenstackOptions = {}): Promise<FakeOpenstack> {
  const state = {
    images: new Map<string, FakeImage>(),
    data: new Map<string, Buffer>(),
    requests: [] as string[],
    logins: [] as unknown[],
    tokens: new Set<string>(),
  }
  const server = createServer((request, response) => {
    state.requests.push(`${request.method} ${request.url?.replace(/\?.*/, '')}`)
    if (options.answer?.(request, response) === true) return
    void bodyOf(request).then((body) => {
      const said = serve({ ...state, url: addressOf(server), options }, request, body)
      response.writeHead(said.status, said.headers)
      response.end(said.json === undefined ? undefined : JSON.stringify(said.json))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { ...state, url: addressOf(server) }
}

const addressOf = (server: ReturnType<typeof createServer>): string =>
  `http://127.0.0.1:${(server.address() as AddressInfo).port}`

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts)
}

interface Said {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly json?: unknown
}

type Serving = FakeOpenstack & { readonly options: FakeOpenstackOptions }

function serve(at: Serving, request: IncomingMessage, body: Buffer): Said {
  const url = new URL(request.url ?? '/', at.url)
  if (url.pathname === '/identity/v3/auth/tokens') return login(at, body)
  const token = request.headers['x-auth-token']
  if (at.options.keystone === true && !at.tokens.has(String(token))) return { status: 401 }
  const [, id = '', file] = /^\/image\/v2\/images(?:\/([^/]+)(\/file)?)?$/.exec(url.pathname) ?? []
  const image = at.images.get(id)
  if (id !== '' && image === undefined) return { status: 404 }
  const put = (values: object): Said => {
    const made = { ...image, ...values, id: id === '' ? randomUUID() : id } as unknown as FakeImage & {
      readonly id: string
    }
    at.images.set(made.id, made)
    return { status: id === '' ? 201 : 200, json: made }
  }
  switch (`${request.method}${file ?? ''}`) {
    case 'GET':
      return id === '' ? list(at, url) : { status: 200, json: image }
    case 'POST':
      return put({ ...blank, ...(JSON.parse(body.toString()) as object) })
    case 'PUT/file': {
      const data = at.options.store?.(body) ?? body
      at.data.set(id, data)
      const hash = createHash('sha512').update(data).digest('hex')
      put({ status: at.options.status ?? 'active', os_hash_algo: 'sha512', os_hash_value: hash })
      return { status: 204 }
    }
    case 'PATCH': {
      const changes = JSON.parse(body.toString()) as { readonly path: string; readonly value: unknown }[]
      return put(Object.fromEntries(changes.map(({ path, value }) => [path.slice(1), value])))
    }
    case 'DELETE':
      if (image?.['protected'] === true) return { status: 403 }
      at.images.delete(id)
      return { status: 204 }
    default:
      return { status: 405 }
  }
}

const blank = {
  status: 'queued',
  owner: 'project-1',
  os_hidden: false,
  checksum: null,
  os_hash_algo: null,
  os_hash_value: null,
  created_at: '2026-11-01T00:00:00Z',
}

/** Three at a time. */
function list({ images }: Serving, url: URL): Said {
  const { marker, limit: _, os_hidden: hidden = 'false', ...filter } = Object.fromEntries(url.searchParams)
  const all = [...images.values()].filter(
    (image) =>
      String(image['os_hidden']) === hidden &&
      Object.entries(filter).every(([name, value]) => image[name] === value),
  )
  const start = 1 + all.findIndex(({ ['id']: id }) => id === marker)
  const some = all.slice(start, start + 3)
  const more = new URLSearchParams({ ...filter, os_hidden: hidden, marker: String(some.at(-1)?.['id']) })
  const next = start + 3 < all.length ? { next: `/v2/images?${more.toString()}` } : {}
  return { status: 200, json: { images: some, ...next } }
}

function login({ logins, tokens, url }: Serving, body: Buffer): Said {
  const asked = JSON.parse(body.toString()) as unknown
  logins.push(asked)
  if (!JSON.stringify(asked).includes('"right"')) return { status: 401 }
  const token = randomUUID()
  tokens.add(token)
  const endpoints = [
    { interface: 'public', region_id: 'one', url: `${url}/image` },
    { interface: 'internal', region_id: 'one', url: 'http://10.0.0.1:9292' },
  ]
  const catalog = [
    { type: 'compute', endpoints: [] },
    { type: 'image', endpoints },
  ]
  const json = { token: { project: { id: 'project-1' }, catalog } }
  return { status: 201, headers: { 'x-subject-token': token }, json }
}
