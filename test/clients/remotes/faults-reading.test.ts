// What a shared cache may do to a build, on real servers behind a proxy that does it: the build ends with the right
// disk, soon, and says what was wrong.

import { setTimeout } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { type Fault, send, startFaultProxy } from '../../rig/fault-proxy.ts'
import {
  answering,
  build,
  changing,
  isEntry,
  kinds,
  onGet,
  placeOn,
  withServers,
} from '../../rig/faulty-cache.ts'

withServers()

interface Row {
  readonly name: string
  readonly fault: Fault
  readonly outcome: 'fetched' | 'built'
  /** Each of the warnings; none when absent. */
  readonly warning?: RegExp
  readonly most?: number
  /** Seconds. */
  readonly within?: number
}

const down = { outcome: 'built', most: 1 } as const
const wrong =
  /sends more than|gives other bytes|is not to be trusted|is not a record's manifest|unasked|another part|cannot be reached|^cannot fetch|sent \d+ of|answers HTTP/

const reading: readonly Row[] = [
  {
    name: 'R2 one byte a second',
    fault: onGet(async ({ response }) => {
      response.writeHead(200)
      while (!response.closed) {
        response.write('x')
        await setTimeout(1000)
      }
    }),
    ...down,
    warning: /did not answer in time$/,
    within: 100,
  },
  {
    name: 'R2 nothing at all',
    fault: () => true,
    ...down,
    warning: /did not answer in time$/,
    within: 80,
  },
  {
    name: 'R2 nothing after the headers',
    fault: onGet(({ response }) => response.writeHead(200, { 'content-length': 1000 }).flushHeaders()),
    ...down,
    warning: /did not answer in time$/,
    within: 80,
  },
  {
    name: 'R2 nothing after half of the body',
    fault: onGet(({ response }) => response.writeHead(200, { 'content-length': 1000 }).write('{"half')),
    ...down,
    warning: /did not answer in time$/,
    within: 80,
  },
  {
    name: 'R2 a body without end',
    fault: onGet(async ({ response }) => {
      response.writeHead(200)
      while (!response.closed) {
        response.write(Buffer.alloc(256 * 1024))
        await setTimeout(1)
      }
    }),
    outcome: 'built',
    warning: /sends more than the \d+ bytes there can be$/,
  },
  ...[500, 502, 503, 504].map((status): Row => ({
    name: `R3 always ${status}`,
    fault: answering(status),
    ...down,
    warning: new RegExp(`answers HTTP ${status}$`),
    within: 40,
  })),
  {
    name: 'R3 503 twice, then well',
    fault: (exchange) => exchange.count <= 2 && answering(503)(exchange),
    outcome: 'fetched',
  },
  {
    name: 'R3 408, then well',
    fault: (exchange) => exchange.count === 1 && answering(408)(exchange),
    outcome: 'fetched',
  },
  {
    name: 'R3 429 with seconds, then well',
    fault: (exchange) => exchange.count === 1 && answering(429, { 'retry-after': '1' })(exchange),
    outcome: 'fetched',
  },
  {
    name: 'R3 429 with a date, then well',
    fault: (exchange) =>
      exchange.count === 1 &&
      answering(429, { 'retry-after': new Date(Date.now() + 2000).toUTCString() })(exchange),
    outcome: 'fetched',
  },
  {
    name: 'R3 429 with an absurd time',
    fault: answering(429, { 'retry-after': '999999' }),
    ...down,
    warning: /answers HTTP 429$/,
    within: 60,
  },
  {
    name: 'R4 cut, with the right length said',
    fault: onGet(async ({ response, pass }) => {
      const answer = await pass()
      if (answer.status >= 400) return send(response, answer)
      response.writeHead(200, { ...answer.headers, 'content-length': answer.body.length } as never)
      response.write(answer.body.subarray(0, answer.body.length >> 1))
      return setTimeout(20).then(() => response.destroy())
    }),
    ...down,
    warning: /cannot be reached|sent \d+ of \d+ bytes|did not answer/,
  },
  {
    name: 'R4 cut, with the length of what is left',
    fault: changing((it) => it.subarray(0, it.length >> 1)),
    outcome: 'built',
    warning: wrong,
  },
  {
    name: 'R4 cut, without a length',
    fault: changing((it) => it.subarray(0, it.length - 1), { 'transfer-encoding': 'chunked' }),
    outcome: 'built',
    warning: wrong,
  },
  {
    name: 'R4 a page that says 200',
    fault: onGet(answering(200, { 'content-type': 'text/html' }, '<html>sign in</html>')),
    outcome: 'built',
    warning: wrong,
  },
  {
    name: 'R4 compressed, unasked',
    fault: changing(gzipSync, { 'content-encoding': 'gzip' }),
    outcome: 'built',
    warning: /unasked|cannot be reached|gives other|not to be trusted|not a record's manifest/,
  },
  {
    name: 'R4 another part than was asked for',
    fault: onGet(async ({ response, pass }) => {
      const answer = await pass()
      const headers = { ...answer.headers, 'content-range': `bytes 7-${answer.body.length + 6}/999999` }
      return send(response, { ...answer, status: 206, headers })
    }),
    outcome: 'built',
    warning: wrong,
  },
  {
    name: 'R4 always the first thing it ever said',
    fault: (() => {
      const first = new Map<string, Buffer>()
      return onGet(async (exchange) => {
        const answer = await exchange.pass()
        const key = `${exchange.request.headers.host} ${isEntry(exchange)}`
        if (answer.status === 200 && !first.has(key)) first.set(key, answer.body)
        const body = first.get(key) ?? answer.body
        return send(exchange.response, {
          ...answer,
          headers: { 'content-length': String(body.length) },
          body,
        })
      })
    })(),
    outcome: 'built',
    warning: wrong,
  },
  {
    name: 'R5 wrong bytes under a right name',
    fault: changing((it) => Buffer.from(it.map((byte) => byte ^ 1))),
    outcome: 'built',
    warning: wrong,
  },
  ...[
    'file:///etc/passwd',
    'gopher://127.0.0.1/',
    'http://169.254.169.254/latest',
    'http://user:word@127.0.0.1/',
  ].map((location): Row => ({
    name: `R8 a redirect to ${location}`,
    fault: onGet(answering(302, { location })),
    outcome: 'built',
    warning: /redirects to/,
  })),
  {
    name: 'R8 twenty redirects',
    fault: onGet((exchange) => {
      const hop = Number(/\?hop=(\d+)/.exec(exchange.request.url ?? '')?.[1] ?? 0)
      return hop < 20 && answering(302, { location: `?hop=${hop + 1}` })(exchange)
    }),
    outcome: 'built',
    warning: /redirects more than 5 times$/,
  },
  {
    name: 'R9 what is said to be there is not',
    fault: (exchange) =>
      exchange.request.method === 'HEAD' ? answering(200)(exchange) : onGet(answering(404))(exchange),
    outcome: 'built',
  },
  {
    name: 'R10 ten GiB',
    fault: onGet(async ({ response }) => {
      response.writeHead(200, { 'content-length': 10 * 2 ** 30 })
      while (!response.closed) {
        response.write(Buffer.alloc(256 * 1024))
        await setTimeout(1)
      }
    }),
    outcome: 'built',
    warning: /sends more than the \d+ bytes there can be$/,
  },
  {
    name: 'R10 a list of a million things',
    fault: onGet(answering(200, {}, JSON.stringify(Array.from({ length: 1_000_000 }, () => 'x')))),
    outcome: 'built',
    warning: wrong,
  },
  {
    name: 'R10 a million lists in one another',
    fault: onGet(answering(200, {}, '['.repeat(1_000_000))),
    outcome: 'built',
    warning: wrong,
  },
  {
    name: 'R10 as deep, and complete',
    fault: onGet(answering(200, {}, `${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`)),
    outcome: 'built',
    warning: wrong,
  },
  {
    name: 'R10 a bomb that unpacks to 200 MiB',
    fault: (() => {
      const bomb = gzipSync(Buffer.alloc(200 * 2 ** 20))
      return onGet(({ response }) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb))
    })(),
    outcome: 'built',
    warning: /sends more than|unasked/,
  },
]

describe('a laptop that reads', () => {
  test.each(reading)('$name', async ({ fault, outcome, warning, most, within }) => {
    await Promise.all(
      kinds.map(async (kind) => {
        const place = placeOn(kind)
        const ci = await build(place.machine('ci'))
        expect([kind, ci.outcome, ci.warnings]).toEqual([kind, 'built', []])
        const proxy = await startFaultProxy(place.server.port, fault)
        const built = await build(place.machine('nobody', `http://127.0.0.1:${proxy.port}`))
        expect([kind, built.outcome, built.disk]).toEqual([kind, outcome, ci.disk])
        expect([kind, built.warnings.length > 0]).toEqual([kind, warning !== undefined])
        for (const text of built.warnings) expect(text).toMatch(warning!)
        expect(built.warnings.length).toBeLessThanOrEqual(most ?? 8)
        expect(built.seconds).toBeLessThan(within ?? 60)
        // Something was asked, or the fault was none.
        expect(proxy.requests.length).toBeGreaterThan(0)
        // Without the fault the next one is served: nothing of it stayed on the server.
        const next = await build(place.machine('nobody'))
        expect([kind, next.outcome, next.disk, next.warnings]).toEqual([kind, 'fetched', ci.disk, []])
      }),
    )
  })
})
