// One HTTP exchange with a server that may be down, slow, lying or hostile: every wait and every length has a limit,
// credentials stay with the origin they are for.

import { performance } from 'node:perf_hooks'
import { Readable } from 'node:stream'
import { RemoteError } from './remote.ts'

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'PATCH' | 'DELETE' | 'MKCOL'
  readonly url: URL
  readonly headers?: Readonly<Record<string, string>>
  /** Added for the first origin only. */
  readonly authorize?: Authorize
  readonly body?: Buffer | StreamedBody
  readonly signal: AbortSignal
  /** Bytes of the answer. */
  readonly limit: number
  /** Statuses the caller deals with though they mean a fault. */
  readonly expects?: readonly number[]
}

/** What is too large for the memory; read again when the request is made again. */
export interface StreamedBody {
  readonly length: number
  readonly read: () => AsyncIterable<Uint8Array>
}

export type Authorize = (request: {
  readonly method: string
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
}) => Promise<Readonly<Record<string, string>>>

export interface HttpAnswer {
  readonly status: number
  readonly headers: Headers
  readonly body: Buffer
  /** Where the answer came from, redirects followed. */
  readonly url: URL
}

export type Ask = (request: HttpRequest) => Promise<HttpAnswer>

/** Statuses that mean a fault throw RemoteError; all others are the caller's to judge. */
export async function httpRequest(request: HttpRequest): Promise<HttpAnswer> {
  let url = request.url
  for (let hops = 0; hops <= redirectsMax; hops++) {
    const answer = await exchange(request, url)
    const location = redirects.has(answer.status) ? answer.headers.get('location') : null
    if (location === null) return request.expects?.includes(answer.status) ? answer : judge(answer)
    url = redirected(url, location)
  }
  throw new RemoteError('answer', `${shown(request.url)} redirects more than ${redirectsMax} times`)
}

async function exchange(request: HttpRequest, url: URL): Promise<HttpAnswer> {
  const { method, body, limit } = request
  const ownHeaders = request.headers ?? {}
  const isHome = url.origin === request.url.origin
  const added = isHome ? await request.authorize?.({ method, url, headers: ownHeaders }) : undefined
  const firstMs = headersLimit + (Buffer.isBuffer(body) ? body.length / slowest : 0)
  const clock = openClock(request.signal, firstMs)
  try {
    const response = await fetch(url, {
      method,
      headers: { ...ownHeaders, ...added, ...lengthOf(body) },
      redirect: 'manual',
      signal: clock.signal,
      ...bodyOf(body, clock),
    })
    clock.wait(idleLimit)
    const bytes = await readBody(response, { limit, url, clock })
    const answer = { status: response.status, headers: response.headers, body: bytes, url }
    checkLength(method, answer)
    return answer
  } catch (cause) {
    if (cause instanceof RemoteError) throw cause
    if (request.signal.aborted) throw cause
    if (clock.signal.aborted) throw new RemoteError('slow', `${shown(url)} did not answer in time`, { cause })
    throw new RemoteError('unreachable', `${shown(url)} cannot be reached: ${reasonOf(cause)}`, { cause })
  } finally {
    clock.stop()
  }
}

/** Without it a stream goes in pieces of no known sum. */
const lengthOf = (body: HttpRequest['body']): Readonly<Record<string, string>> =>
  body === undefined || Buffer.isBuffer(body) ? {} : { 'content-length': String(body.length) }

function bodyOf(body: HttpRequest['body'], clock: Clock): RequestInit & { readonly duplex?: 'half' } {
  if (body === undefined) return {}
  if (Buffer.isBuffer(body)) return { body: new Uint8Array(body) }
  return { body: Readable.toWeb(Readable.from(sending(body, clock))) as ReadableStream, duplex: 'half' }
}

async function* sending({ length, read }: StreamedBody, clock: Clock): AsyncGenerator<Uint8Array> {
  let sent = 0
  for await (const part of read()) {
    sent += part.length
    clock.progress(sent)
    yield part
  }
  // Whoever takes it reads all of it again before it answers.
  clock.wait(headersLimit + length / rereading)
}

async function readBody(
  response: Response,
  { limit, url, clock }: { readonly limit: number; readonly url: URL; readonly clock: Clock },
): Promise<Buffer> {
  const parts: Uint8Array[] = []
  let length = 0
  const body = response.body as ReadableStream<Uint8Array> | null
  if (body === null) return Buffer.alloc(0)
  for await (const part of body) {
    length += part.length
    if (length > limit) {
      throw new RemoteError('answer', `${shown(url)} sends more than the ${limit} bytes there can be`)
    }
    parts.push(part)
    clock.progress(length)
  }
  return Buffer.concat(parts)
}

/** A connection that broke may look like an end; whoever says the length is held to it. */
function checkLength(method: string, { headers, body, url }: HttpAnswer): void {
  const said = headers.get('content-length')
  if (method === 'HEAD' || said === null || headers.has('content-encoding')) return
  if (Number(said) === body.length) return
  throw new RemoteError('unreachable', `${shown(url)} sent ${body.length} of ${said} bytes`)
}

interface Clock {
  readonly signal: AbortSignal
  /** Bytes so far: a body may take long as long as it comes. */
  progress(bytes: number): void
  /** So long for what comes next, whose bytes are counted from none. */
  wait(ms: number): void
  stop(): void
}

function openClock(outer: AbortSignal, firstMs: number): Clock {
  const own = new AbortController()
  const end = (): void => own.abort()
  let timer = setTimeout(end, firstMs)
  let isOver = false
  const restart = (ms: number): void => {
    clearTimeout(timer)
    // A body may still be read when its refusal has come.
    if (!isOver) timer = setTimeout(end, ms)
  }
  let window = { at: performance.now(), bytes: 0 }
  return {
    signal: AbortSignal.any([outer, own.signal]),
    progress(bytes) {
      restart(idleLimit)
      const ms = performance.now() - window.at
      if (ms < speedWindow) return
      if ((bytes - window.bytes) / ms < slowest) end()
      window = { at: performance.now(), bytes }
    },
    wait(ms) {
      restart(ms)
      window = { at: performance.now(), bytes: 0 }
    },
    stop() {
      isOver = true
      clearTimeout(timer)
    },
  }
}

function judge(answer: HttpAnswer): HttpAnswer {
  const { status, url } = answer
  if (status === 401 || status === 403) {
    throw new RemoteError('denied', `${shown(url)} refuses (HTTP ${status})`)
  }
  if (status === 408 || status === 429 || status >= 500) {
    const retryAfterMs = retryAfter(answer.headers.get('retry-after'), answer.headers.get('date'))
    const later = retryAfterMs === undefined ? {} : { retryAfterMs }
    throw new RemoteError('busy', `${shown(url)} answers HTTP ${status}`, later)
  }
  return answer
}

function redirected(from: URL, location: string): URL {
  const to = URL.canParse(location, from) ? new URL(location, from) : undefined
  if (to === undefined || (to.protocol !== 'https:' && to.protocol !== 'http:') || to.username !== '') {
    throw new RemoteError('answer', `${shown(from)} redirects to ${JSON.stringify(location.slice(0, 200))}`)
  }
  if (isLinkLocal(to) && !isLinkLocal(from)) {
    throw new RemoteError('answer', `${shown(from)} redirects to the link-local ${shown(to)}`)
  }
  if (from.protocol === 'https:' && to.protocol === 'http:') {
    throw new RemoteError('answer', `${shown(from)} redirects from https to ${shown(to)}`)
  }
  return to
}

/** Where clouds tell a machine its secrets; no remote has to send us there. */
const isLinkLocal = ({ hostname }: URL): boolean =>
  /^169\.254\.|^\[fe[89ab][0-9a-f]:|^\[::ffff:a9fe:/.test(hostname)

/** Seconds, or a date, which is compared with the server's own clock; nonsense and the past count as nothing said. */
function retryAfter(text: string | null, date: string | null): number | undefined {
  if (text === null) return undefined
  const ms = /^\d{1,6}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.parse(date ?? '')
  return Number.isFinite(ms) && ms > 0 ? ms : undefined
}

/** Without query and credentials: a presigned URL is a secret. */
export const shown = (url: URL): string => `${url.origin}${url.pathname}`

function reasonOf(cause: unknown): string {
  const inner = (cause as { cause?: unknown }).cause ?? cause
  return inner instanceof Error ? inner.message || String((inner as { code?: unknown }).code) : String(inner)
}

const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])
const redirectsMax = 5
const headersLimit = 15_000
const idleLimit = 15_000
const speedWindow = 30_000
/** Bytes per ms. */
const slowest = 10
const rereading = 20_000
