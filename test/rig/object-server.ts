// A web server that keeps objects in memory, as faithful or as faulty as a test says.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

export interface ObjectServer {
  readonly url: URL
  /** By path. */
  readonly objects: Map<string, Buffer>
  /** `GET /blobs/…`, in order. */
  readonly requests: string[]
  /** Headers of the requests, in order. */
  readonly headers: IncomingMessage['headers'][]
}

export interface ObjectServerOptions {
  /** Answers instead of the server; true when it did. */
  readonly answer?: (request: IncomingMessage, response: ServerResponse, count: number) => boolean
  readonly ranges?: boolean
  /** Keeps `If-None-Match: *`. */
  readonly conditional?: boolean
}

export async function startObjectServer(options: ObjectServerOptions = {}): Promise<ObjectServer> {
  const objects = new Map<string, Buffer>()
  const requests: string[] = []
  const headers: IncomingMessage['headers'][] = []
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`)
    headers.push(request.headers)
    if (options.answer?.(request, response, requests.length) === true) return
    void serve(request, response, { objects, options })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { url: new URL(`http://127.0.0.1:${port}/`), objects, requests, headers }
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  { objects, options }: { readonly objects: Map<string, Buffer>; readonly options: ObjectServerOptions },
): Promise<void> {
  const path = request.url ?? '/'
  const there = objects.get(path)
  if (request.method === 'PUT') {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    // Looked up after the body: what another request wrote meanwhile counts.
    const isThere = objects.has(path)
    if (isThere && options.conditional !== false && request.headers['if-none-match'] === '*') {
      response.writeHead(412).end()
      return
    }
    objects.set(path, Buffer.concat(parts))
    response.writeHead(201).end()
    return
  }
  if (there === undefined) {
    response.writeHead(404).end('<html>no such thing</html>')
    return
  }
  const range = options.ranges === false ? null : /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')
  if (range === null) {
    response.writeHead(200, { 'content-length': there.length })
    response.end(request.method === 'HEAD' ? undefined : there)
    return
  }
  const [start, end] = [Number(range[1]), Math.min(Number(range[2]), there.length - 1)]
  if (start >= there.length) {
    response.writeHead(416).end()
    return
  }
  response.writeHead(206, { 'content-range': `bytes ${start}-${end}/${there.length}` })
  response.end(there.subarray(start, end + 1))
}
