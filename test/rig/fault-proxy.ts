// A web server in front of another one, that does to requests and answers what a test says.

import { createServer, request as ask, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

export interface FaultProxy {
  readonly port: number
  /** `GET /v2/…`, in order. */
  readonly requests: string[]
}

export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** What the server behind says; nothing is sent by this. */
  readonly pass: () => Promise<Answer>
  /** Of its method, from 1. */
  readonly count: number
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  readonly body: Buffer
}

/** True when it answered; otherwise the request is passed on. */
export type Fault = (exchange: Exchange) => boolean | Promise<boolean>

export async function startFaultProxy(
  port: number,
  fault: Fault,
  tls?: { readonly key: string; readonly cert: string },
): Promise<FaultProxy> {
  const requests: string[] = []
  const counts = new Map<string, number>()
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    const method = request.method ?? ''
    requests.push(`${method} ${request.url}`)
    const count = (counts.get(method) ?? 0) + 1
    counts.set(method, count)
    const pass = async (): Promise<Answer> => forward(port, request)
    const answered = Promise.resolve(fault({ request, response, pass, count }))
    void answered.then(async (is) => is || send(response, await pass())).catch(() => response.destroy())
  }
  const server = tls === undefined ? createServer(serve) : createTlsServer(tls, serve)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, requests }
}

export function send(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, headers as Record<string, string>).end(body)
}

/** With the client's own host: signatures and the places a server names are made of it. */
async function forward(port: number, request: IncomingMessage): Promise<Answer> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  const { method, url, headers } = request
  return new Promise((resolve, reject) => {
    const options = { port, host: '127.0.0.1', method, path: url, headers }
    const asked = ask(options, (answer) => {
      const body: Buffer[] = []
      answer.on('data', (part: Buffer) => body.push(part))
      answer.on('error', reject)
      answer.on('end', () =>
        resolve({
          status: answer.statusCode ?? 0,
          headers: answer.headers as Answer['headers'],
          body: Buffer.concat(body),
        }),
      )
    })
    asked.on('error', reject)
    asked.end(Buffer.concat(parts))
  })
}
