// A web server: anything that answers GET with ranges can be read; one that takes PUT (WebDAV or the like) written.

import { type Ask, type HttpAnswer, httpRequest, shown } from './http-request.ts'
import { checkName, type CreateOptions, type Remote, RemoteError, type ReadOptions } from './remote.ts'

export interface HttpOptions {
  /** How requests are made: `httpRequest`, or that with credentials. */
  readonly ask: Ask
  /** The server takes `If-None-Match: *` for "only if there is nothing yet". */
  readonly conditional: boolean
}

export function httpRemote(base: URL, { ask, conditional }: HttpOptions): Remote {
  const root = base.pathname.endsWith('/') ? base : new URL(`${base.href}/`)

  const urlOf = (name: string): URL => {
    checkName(name)
    return new URL(name, root)
  }

  const has = async (name: string, signal: AbortSignal, size?: number): Promise<boolean> => {
    const url = urlOf(name)
    const headers = { 'accept-encoding': 'identity' }
    const answer = await ask({ method: 'HEAD', url, signal, limit: 0, headers })
    const { status } = answer
    if (status === 200) return size === undefined || (lengthOf(answer) ?? size) === size
    if (absent.has(status)) return false
    throw new RemoteError('answer', `${shown(url)} answers HTTP ${status}`)
  }

  const put = (url: URL, data: Buffer, { signal, replaces }: CreateOptions): Promise<number> =>
    ask({
      method: 'PUT',
      url,
      signal,
      limit: answerMax,
      body: data,
      headers: {
        'content-type': 'application/octet-stream',
        ...(conditional && replaces !== true ? { 'if-none-match': '*' } : {}),
      },
    }).then(({ status }) => status)

  return {
    name: shown(base).replace(/\/$/, ''),
    has,
    read: async (name, reading) => readHttp(urlOf(name), reading, ask),
    async create(name, data, creating) {
      const { signal, replaces } = creating
      const url = urlOf(name)
      // Where the condition is not kept, two may still write at once: the same bytes, or records of the same signer.
      if (!conditional && replaces !== true && (await has(name, signal))) return 'there'
      let status = await put(url, data, creating)
      if (status === 409 && !conditional) {
        await makeCollections(root, name, { signal, ask })
        status = await put(url, data, creating)
      }
      if (status === 412 || status === 409) return 'there'
      if (status >= 200 && status < 300) return 'created'
      throw new RemoteError('answer', `${shown(url)} does not take PUT (HTTP ${status})`)
    },
  }
}

/** A thing or a part of it; servers without ranges send it whole. */
export async function readHttp(
  url: URL,
  { signal, limit, range }: ReadOptions,
  ask: Ask = httpRequest,
): Promise<Buffer | undefined> {
  const { status, headers, body } = await ask({
    method: 'GET',
    url,
    signal,
    limit: range === undefined ? limit : Math.max(limit, wholeMax),
    headers: {
      'accept-encoding': 'identity',
      ...(range === undefined ? {} : { range: `bytes=${range.start}-${range.end - 1}` }),
    },
  })
  if (absent.has(status)) return undefined
  if (headers.has('content-encoding')) {
    throw new RemoteError('answer', `${shown(url)} comes as ${headers.get('content-encoding')}, unasked`)
  }
  if (status === 200) return range === undefined ? body : body.subarray(range.start, range.end)
  if (status === 416 && range !== undefined) return Buffer.alloc(0)
  if (status === 206 && range !== undefined) {
    const [, start] = /^bytes (\d+)-\d+\//.exec(headers.get('content-range') ?? '') ?? []
    // Beyond the end some servers name the end that was asked for; what counts is checked by digests.
    if (Number(start) === range.start && body.length <= range.end - range.start) return body
    throw new RemoteError('answer', `${shown(url)} sends another part than was asked for`)
  }
  throw new RemoteError('answer', `${shown(url)} answers HTTP ${status}`)
}

/** Of the thing itself; undefined when the server does not say. */
function lengthOf({ headers }: HttpAnswer): number | undefined {
  const length = headers.get('content-length')
  return length === null || headers.has('content-encoding') ? undefined : Number(length)
}

/** WebDAV wants each folder made before what is in it. */
async function makeCollections(
  root: URL,
  name: string,
  { signal, ask }: { readonly signal: AbortSignal; readonly ask: Ask },
): Promise<void> {
  const folders = name.split('/').slice(0, -1)
  for (const [place] of folders.entries()) {
    const url = new URL(`${folders.slice(0, place + 1).join('/')}/`, root)
    await ask({ method: 'MKCOL', url, limit: answerMax, signal })
  }
}

const absent: ReadonlySet<number> = new Set([404, 410])
const answerMax = 64 * 1024
/** A pack, which is the largest there is. */
const wholeMax = 64 * 1024 * 1024
