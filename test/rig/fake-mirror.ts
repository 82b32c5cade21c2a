// A mirror on the loopback whose answers can be made to go wrong, one path at a time.

import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface FakeMirror {
  /** `http://127.0.0.1:PORT`, above the archives. */
  readonly url: string
  /** What is served, by path: `/debian/dists/trixie/InRelease`. */
  readonly files: Map<string, Buffer>
  /** What goes wrong, by path; each entry is used up by one request, the last one stays. */
  readonly faults: Map<string, Fault[]>
  /** Every request so far, `GET /debian/…`. */
  readonly requests: string[]
  /** Connections are refused from here on; `up` listens on the same port again. */
  down(): Promise<void>
  up(): Promise<void>
}

type Fault =
  | 'none'
  | { readonly status: number }
  /** Says how long it is, sends this much and cuts the connection. */
  | { readonly cutAfter: number }
  /** Says how long it is, sends this much and then nothing more. */
  | { readonly stallAfter: number }
  /** Ends properly although bytes are missing. */
  | { readonly endAfter: number }
  | { readonly instead: string }
  /** Takes the request and never answers. */
  | 'silent'
  /** Answers when the promise is settled. */
  | { readonly after: Promise<unknown> }

export async function startFakeMirror(): Promise<FakeMirror> {
  const files = new Map<string, Buffer>()
  const faults = new Map<string, Fault[]>()
  const requests: string[] = []

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = decodeURIComponent(request.url ?? '')
    requests.push(`${request.method} ${path}`)
    const planned = faults.get(path) ?? []
    const fault = (planned.length > 1 ? planned.shift() : planned[0]) ?? 'none'
    if (fault === 'silent') return
    if (fault !== 'none' && 'after' in fault) await fault.after
    if (fault !== 'none' && 'status' in fault) {
      response.writeHead(fault.status).end()
      return
    }
    const file = files.get(path)
    if (file === undefined) response.writeHead(404).end()
    else send(request, response, { file, fault })
  }

  const make = (): ReturnType<typeof createServer> =>
    createServer((request, response) => void answer(request, response))
  let server = make()
  await listen(server, 0)
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    files,
    faults,
    requests,
    async down() {
      if (!server.listening) return
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
    async up() {
      server = make()
      await listen(server, port)
    },
  }
}

function send(
  request: IncomingMessage,
  response: ServerResponse,
  { file, fault }: { readonly file: Buffer; readonly fault: Fault },
): void {
  const body = typeof fault === 'object' && 'instead' in fault ? Buffer.from(fault.instead) : file
  const etag = `"${createHash('sha256').update(body).digest('hex')}"`
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304, { etag }).end()
    return
  }
  if (typeof fault === 'object' && 'endAfter' in fault) {
    response.writeHead(200, { etag }).end(body.subarray(0, fault.endAfter))
    return
  }
  response.writeHead(200, { etag, 'content-length': body.length })
  if (typeof fault === 'object' && 'cutAfter' in fault) {
    response.write(body.subarray(0, fault.cutAfter), () => response.destroy())
  } else if (typeof fault === 'object' && 'stallAfter' in fault) {
    response.write(body.subarray(0, fault.stallAfter))
  } else {
    response.end(body)
  }
}

async function listen(server: ReturnType<typeof createServer>, port: number): Promise<void> {
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
}
