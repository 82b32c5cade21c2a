// The only place that asks a mirror for bytes, and the only file that imports make-fetch-happen. It does the transport
// (redirects, proxies, TLS, idle limits) and keeps InRelease files for revalidation; retries are ours, because a body
// that ends early or is not what was wanted is as good a reason for one as a refused connection.

import { setTimeout as pause } from 'node:timers/promises'
import { PassThrough } from 'node:stream'
import fetch from 'make-fetch-happen'
import type { RunContext } from '../../tasks/context.ts'
import { ImgError } from '../../tasks/errors.ts'
import { WrongContent, type Content, type Wanted } from './content.ts'
import { httpProxyFor } from './http-proxy.ts'

export interface UpstreamLimits {
  /** Without connection, headers or next byte for this long, an attempt has failed. */
  readonly idleMs: number
  readonly attempts: number
  /** Before the second attempt, on average; doubled for each further one. */
  readonly pauseMs: number
  /** A file may take this long and its size divided by the slowest bearable rate. */
  readonly graceMs: number
  readonly slowestBytesPerSecond: number
}

const usualLimits: UpstreamLimits = {
  idleMs: 30_000,
  attempts: 4,
  pauseMs: 500,
  graceMs: 60_000,
  slowestBytesPerSecond: 10_000,
}

/** For a file nobody knows the size of: an ISO of a few gigabytes. */
const unsizedMs = 6 * 3_600_000

/** `gone`: the mirror works and does not have these bytes. `unreachable`: nobody knows whether it does. */
export type Failed =
  | { readonly status: 'gone'; readonly reason: string }
  | { readonly status: 'unreachable'; readonly reason: string }

export interface Upstream {
  /** Brings one immutable file into the content, verified. Simultaneous calls for the same bytes are one download. */
  download(url: string, wanted: Wanted): Promise<{ readonly status: 'stored' } | Failed>
  /** A file that changes. `cached` is the last one seen, when nothing newer can be had. */
  read(url: string): Promise<Text | Failed>
  /** Requests sent to mirrors and bytes they answered with, so that a build can prove it needed none. */
  traffic(): Traffic
}

export interface Traffic {
  readonly requests: number
  readonly bytes: number
}

type Text =
  | { readonly status: 'current'; readonly bytes: Buffer }
  | { readonly status: 'cached'; readonly bytes: Buffer }

export interface UpstreamOptions {
  readonly content: Content
  /** make-fetch-happen's cache: `<cacheDir>/mirror`. */
  readonly directory: string
  readonly limits?: UpstreamLimits
}

export function openUpstream(options: UpstreamOptions, context: RunContext): Upstream {
  const { content, directory, limits = usualLimits } = options
  const running = new Map<string, Promise<{ readonly status: 'stored' } | Failed>>()
  const persist = makePersistence(limits, context)
  let requests = 0
  let bytes = 0

  const request = async (url: string, cache: RequestCache, signal: AbortSignal): Promise<Answer> => {
    const wanted: fetch.FetchOptions & { readonly signal: AbortSignal } = {
      ...httpProxyFor(url, context.env),
      cachePath: directory,
      cache,
      compress: false,
      headers: { 'accept-encoding': 'identity', 'user-agent': 'img' },
      retry: false,
      timeout: limits.idleMs,
      signal,
    }
    requests += 1
    return (await fetch(url, wanted)) as unknown as Answer
  }

  const downloadOnce = async (url: string, wanted: Wanted): Promise<{ status: 'stored' } | Attempt> => {
    const done = new AbortController()
    const limitMs =
      wanted.size === undefined
        ? unsizedMs
        : limits.graceMs + Math.ceil((wanted.size / limits.slowestBytesPerSecond) * 1000)
    const limit = AbortSignal.timeout(limitMs)
    try {
      const answer = await request(url, 'no-store', AbortSignal.any([context.signal, done.signal, limit]))
      if (answer.status !== 200) return refused(answer.status)
      await content.put(
        counted(answer.body, (length) => (bytes += length)),
        wanted,
      )
      return { status: 'stored' }
    } catch (error) {
      if (error instanceof ImgError) throw error
      if (error instanceof WrongContent) return { status: 'gone', reason: error.message, again: true }
      const reason = limit.aborted ? `took longer than ${limitMs / 1000} s` : reasonOf(error, limits)
      return { status: 'unreachable', reason, again: true }
    } finally {
      // A body that was not read to its end would hold its connection.
      done.abort()
    }
  }

  const readOnce = async (url: string): Promise<Text | Attempt> => {
    try {
      const answer = await request(
        url,
        'no-cache',
        AbortSignal.any([context.signal, AbortSignal.timeout(120_000)]),
      )
      if (answer.status !== 200) return refused(answer.status)
      const text = await collect(answer.body)
      const length = answer.headers.get('content-length')
      if (length !== null && Number(length) !== text.length) {
        return { status: 'unreachable', reason: `ends after ${text.length} of ${length} bytes`, again: true }
      }
      const status = answer.headers.get('x-local-cache-status')
      if (status !== 'stale' && status !== 'revalidated') bytes += text.length
      return { status: status === 'stale' ? 'cached' : 'current', bytes: text }
    } catch (error) {
      return { status: 'unreachable', reason: reasonOf(error, limits), again: true }
    }
  }

  return {
    traffic: () => ({ requests, bytes }),
    read: (url) => persist(() => readOnce(url)),
    download(url, wanted) {
      const started = running.get(wanted.sha256)
      if (started !== undefined) return started
      const download = persist(() => downloadOnce(url, wanted)).finally(() => running.delete(wanted.sha256))
      running.set(wanted.sha256, download)
      return download
    },
  }
}

interface Answer {
  readonly status: number
  readonly headers: { get(name: string): string | null }
  readonly body: NodeJS.ReadableStream & AsyncIterable<Buffer>
}

type Attempt = Failed & { readonly again: boolean }

/** Repeats an attempt while that can help, with pauses that keep many clients from coming back at once. */
function makePersistence(
  limits: UpstreamLimits,
  context: RunContext,
): <Good extends { readonly status: string }>(
  attempt: () => Promise<Good | Attempt>,
) => Promise<Good | Failed> {
  let exhausted = 0
  return async (attempt) => {
    // Three files in a row that could not be reached: the mirror is down, and hundreds more may be asked for.
    const attempts = exhausted < 3 ? limits.attempts : 1
    for (let number = 1; ; number += 1) {
      const result = await attempt()
      if (context.signal.aborted) throw new ImgError('INTERRUPTED', 'a download was interrupted')
      if (!('again' in result)) {
        exhausted = 0
        return result
      }
      if (!result.again || number >= attempts) {
        exhausted = result.status === 'unreachable' ? exhausted + 1 : 0
        return { status: result.status, reason: result.reason }
      }
      const mean = limits.pauseMs * 2 ** (number - 1)
      await pause(mean * (0.5 + Math.random()), undefined, { signal: context.signal }).catch(() => undefined)
    }
  }
}

function refused(status: number): Attempt {
  if (status === 404 || status === 410) return { status: 'gone', reason: `answered ${status}`, again: false }
  const again = status === 408 || status === 425 || status === 429 || status >= 500
  return { status: 'unreachable', reason: `answered ${status}`, again }
}

/** In our words where Node's say little; never with the URL, which may carry a password. */
function reasonOf(error: unknown, { idleMs }: UpstreamLimits): string {
  const { code, type, message } = error as {
    readonly code?: string
    readonly type?: string
    readonly message?: string
  }
  if (type === 'request-timeout' || code === 'EIDLETIMEOUT') return `sent nothing for ${idleMs / 1000} s`
  if (code === 'ECONNRESET') return 'the connection was cut'
  const words = (message ?? String(error)).replace(/^.*, reason: /, '').replace(/\S+:\/\/\S+/g, 'the mirror')
  return code === undefined || words.includes(code) ? words : `${words} (${code})`
}

async function* counted(
  body: AsyncIterable<Buffer>,
  count: (length: number) => void,
): AsyncGenerator<Buffer> {
  for await (const chunk of body) {
    count(chunk.length)
    yield chunk
  }
}

async function collect(body: NodeJS.ReadableStream): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  // What comes from the cache are streams of minipass 3: each step of iterating one leaves a listener on it.
  const pieces = new PassThrough()
  body.on('error', (error: Error) => pieces.destroy(error))
  for await (const chunk of body.pipe(pieces) as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > 32 * 1024 * 1024) throw new Error('longer than any InRelease file')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
