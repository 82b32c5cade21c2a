// Answers to apt, as HTTP. apt shows the status line of an error and nothing of its body, so the reason is in both.

import { createReadStream } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'

export interface SentFile {
  readonly file: string
  readonly sha256: string
  readonly size: number
  /** Milliseconds since 1970. */
  readonly date: number
}

/** Whole or the range asked for; apt asks for one when it has the beginning of a file from an earlier run. */
export async function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  sent: SentFile,
): Promise<void> {
  const headers = {
    'content-type': 'application/octet-stream',
    'accept-ranges': 'bytes',
    etag: `"${sent.sha256}"`,
    'last-modified': new Date(sent.date).toUTCString(),
  }
  const range = rangeOf(request, sent)
  if (range === 'unsatisfiable') {
    response
      .writeHead(416, { ...headers, 'content-range': `bytes */${sent.size}`, 'content-length': 0 })
      .end()
    return
  }
  const { start, end } = range ?? { start: 0, end: sent.size - 1 }
  const length = end - start + 1
  if (range === undefined) response.writeHead(200, { ...headers, 'content-length': length })
  else {
    const contentRange = `bytes ${start}-${end}/${sent.size}`
    response.writeHead(206, { ...headers, 'content-length': length, 'content-range': contentRange })
  }
  if (request.method === 'HEAD' || length === 0) {
    response.end()
    return
  }
  try {
    await pipeline(createReadStream(sent.file, { start, end, highWaterMark: 256 * 1024 }), response)
  } catch {
    // Either apt went away or the file did; both end the connection, and apt asks again if it still wants it.
    response.destroy()
  }
}

export function sendRefusal(
  response: ServerResponse,
  { status, reason }: { readonly status: number; readonly reason: string },
): void {
  const line = reason.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 300)
  response.writeHead(status, line, { 'content-type': 'text/plain; charset=utf-8' }).end(`${reason}\n`)
}

type Range = { readonly start: number; readonly end: number }

/** One range or none; several are answered with the whole file, which the standard allows. */
function rangeOf(request: IncomingMessage, sent: SentFile): Range | 'unsatisfiable' | undefined {
  const asked = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? '')
  if (asked === null || (asked[1] === '' && asked[2] === '')) return undefined
  const condition = request.headers['if-range']
  if (typeof condition === 'string' && !matches(condition, sent)) return undefined
  const last = sent.size - 1
  if (asked[1] === '') return { start: Math.max(0, sent.size - Number(asked[2])), end: last }
  const start = Number(asked[1])
  if (start > last) return 'unsatisfiable'
  return { start, end: asked[2] === '' ? last : Math.min(last, Number(asked[2])) }
}

function matches(condition: string, { sha256, date }: SentFile): boolean {
  return condition === `"${sha256}"` || Date.parse(condition) === Math.floor(date / 1000) * 1000
}
