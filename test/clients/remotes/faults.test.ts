// What a shared cache may do to a build, on real servers behind a proxy that does it: the build ends with the right
// disk, soon, and says what was wrong. The numbers are those of the table in docs/shared-cache.md.

import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { IncomingHttpHeaders } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { entryName } from '../../../cache/remotes/find-entry.ts'
import { openRemote } from '../../../cache/remotes/open-remote.ts'
import type { Remote } from '../../../cache/remotes/remote.ts'
import { signEntry } from '../../../cache/trust/signed-entry.ts'
import { fakeBackend } from '../../../tasks/backends/fake.ts'
import { runBuild } from '../../../tasks/build.ts'
import type { RunContext } from '../../../tasks/context.ts'
import type { ImgEvent } from '../../../tasks/events.ts'
import { layer } from '../../../tasks/plan/declare.ts'
import type { Layer } from '../../../tasks/plan/recipe.ts'
import type { Project } from '../../../tasks/run/project.ts'
import { runProgram } from '../../../tasks/run/process.ts'
import { signal } from '../../contract/remote.ts'
import { child, fakeProject, fixed, root, write } from '../../rig/fake-project.ts'
import { type Exchange, type Fault, send, startFaultProxy } from '../../rig/fault-proxy.ts'
import { type RemoteServer, type ServerKind, startRemoteServer } from '../../rig/remote-servers.ts'
import { type SharedCache, sharedCache } from '../../rig/shared-cache.ts'

const kinds = ['nginx', 'registry', 's3'] as const
const folder = mkdtempSync(join(tmpdir(), 'img-faults-'))
const servers = new Map<ServerKind, RemoteServer>()
beforeAll(async () => {
  for (const kind of kinds) servers.set(kind, await startRemoteServer(kind, folder))
})
afterAll(async () => {
  for (const { stop } of servers.values()) await stop()
  rmSync(folder, { recursive: true, force: true })
})

type Machine = RunContext & { readonly events: ImgEvent[] }

/** A remote of its own on one of the servers, and machines that share it. */
interface Place {
  readonly shared: SharedCache
  readonly server: RemoteServer
  readonly name: string
  readonly remote: Remote
  /** At the server itself, or where it is told. */
  machine(as: 'ci' | 'alice' | 'nobody', origin?: string, env?: Readonly<Record<string, string>>): Machine
}

let count = 0

function placeOn(kind: ServerKind): Place {
  const [server, shared, name] = [servers.get(kind)!, sharedCache(), `f${(count += 1)}`]
  const urlAt = (origin: string): string => server.url(name, origin)
  const direct = `http://127.0.0.1:${server.port}`
  return {
    shared,
    server,
    name,
    remote: openRemote(urlAt(direct), server.env),
    machine: (as, origin = direct, env = {}) =>
      shared.machine(as === 'nobody' ? undefined : shared[as], {
        ...server.env,
        ...env,
        IMG_REMOTES: urlAt(origin),
      }),
  }
}

const chain = (content = 'r'): readonly Layer[] => {
  const install = layer('install:a', root('a'))
  const base = child('base:a', install, fixed([write('/etc/base', 'b')]))
  return [install, base, child('role:a', base, fixed([write('/etc/role', content)]))]
}

interface Built {
  readonly project: Project
  readonly outcome: string | undefined
  readonly warnings: readonly string[]
  /** sha256 of the role's disk as it is restored. */
  readonly disk: string
  readonly seconds: number
}

async function build(machine: Machine, layers = chain()): Promise<Built> {
  const began = performance.now()
  const project = await fakeProject(machine, layers)
  const result = await runBuild(project, ['role:a'], {
    mode: 'fail-fast',
    check: false,
    backends: [fakeBackend()],
  })
  await (await project.remotes())?.settle()
  const seconds = (performance.now() - began) / 1000
  const record = (await project.store.latest('role:a'))!
  const out = join(machine.root, 'restored')
  await project.store.restore(record.artifact['disk.raw']!, out)
  return {
    project,
    outcome: result.layers.find(({ name }) => name === 'role:a')?.outcome.status,
    warnings: machine.events.flatMap((event) => (event.event === 'warning' ? [event.text] : [])),
    disk: createHash('sha256').update(readFileSync(out)).digest('hex'),
    seconds,
  }
}

const isEntry = ({ request }: Exchange): boolean => /\/(?:records|manifests)\//.test(request.url ?? '')
const isGet = ({ request }: Exchange): boolean => request.method === 'GET'
/** Of a laptop that reads: every GET. */
const onGet =
  (fault: (exchange: Exchange) => unknown): Fault =>
  async (exchange) =>
    isGet(exchange) && (await fault(exchange)) !== false

const answering =
  (status: number, headers: Readonly<Record<string, string>> = {}, body = 'no'): Fault =>
  ({ response }) => {
    response.writeHead(status, headers).end(body)
    return true
  }

/** Passes on what the server says with something changed. */
const changing = (change: (body: Buffer) => Buffer, headers: Readonly<Record<string, string>> = {}): Fault =>
  onGet(async ({ response, pass }) => {
    const answer = await pass()
    if (answer.status >= 400) return send(response, answer)
    const { 'content-length': _, ...rest } = answer.headers
    return send(response, { ...answer, headers: { ...rest, ...headers }, body: change(answer.body) })
  })

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
        if (warning === undefined) expect([kind, built.warnings]).toEqual([kind, []])
        else expect(built.warnings).not.toEqual([])
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

  const atHost: Readonly<Record<ServerKind, (origin: string) => string>> = {
    nginx: (origin) => origin,
    s3: (origin) => origin,
    // A registry on this machine is asked without TLS; this name of it does not look like it.
    registry: (origin) => origin.replace('127.0.0.1', '0.0.0.0'),
  }

  test.each(kinds)('R1 %s: nobody there, no such host, a certificate nobody vouches for', async (kind) => {
    const place = placeOn(kind)
    const ci = await build(place.machine('ci'))
    const [key, cert] = [join(ci.project.context.root, 'key.pem'), join(ci.project.context.root, 'cert.pem')]
    const made = await runProgram(
      ['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert].concat([
        '-subj',
        '/CN=cache.example.org',
      ]),
    )
    expect(made.exitCode).toBe(0)
    const tls = { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
    const proxy = await startFaultProxy(place.server.port, () => false, tls)
    for (const [origin, reason] of [
      ['http://127.0.0.1:1', /cannot be reached: /],
      ['http://cache.invalid:80', /cannot be reached: .*cache\.invalid/],
      [atHost[kind](`https://127.0.0.1:${proxy.port}`), /cannot be reached: self-signed certificate/],
    ] as const) {
      const built = await build(place.machine('nobody', origin))
      expect([origin, built.outcome, built.disk]).toEqual([origin, 'built', ci.disk])
      expect(built.warnings).toEqual([expect.stringMatching(reason)])
      expect(built.seconds).toBeLessThan(60)
    }
    expect(proxy.requests).toEqual([])
  })

  test.each(kinds)('R5 %s: another layer’s signed record, and an old one again', async (kind) => {
    const place = placeOn(kind)
    const ci = await build(place.machine('ci'))
    const [own, base] = [await recordOf(ci, 'role:a'), await recordOf(ci, 'base:a')]
    const changed = await build(place.machine('alice', 'http://127.0.0.1:1'), chain('changed'))
    const wanted = await recordOf(changed, 'role:a')
    const id = place.shared.ci.own.id
    for (const from of [own, base]) {
      const entry = await place.remote.read(entryName('main', from.key, id), { signal, limit: 2 ** 22 })
      const other = placeOn(kind)
      await other.remote.create(entryName('main', wanted.key, id), entry!, { signal })
      const laptop = { ...other, shared: place.shared }
      const machine = place.shared.machine(undefined, {
        ...other.server.env,
        IMG_REMOTES: other.server.url(other.name, `http://127.0.0.1:${other.server.port}`),
      })
      const built = await build(machine, chain('changed'))
      expect([built.outcome, built.disk]).toEqual(['built', changed.disk])
      expect(built.warnings).toEqual([
        `${laptop.remote.name} has an entry that is not to be trusted (${entryName('main', wanted.key, id)}): the entry was signed for another subject`,
      ])
    }
  })

  test.each(kinds)(
    'R6 R11 %s: what others than CI wrote where CI writes counts for nothing',
    async (kind) => {
      const place = placeOn(kind)
      const alice = await build(place.machine('alice'))
      const record = await recordOf(alice, 'role:a')
      const { ci, alice: key } = place.shared
      const theirs = await place.remote.read(entryName('dev/alice', record.key, key.own.id), {
        signal,
        limit: 2 ** 22,
      })
      expect(theirs).toBeDefined()
      const content = { kind: 'value', blob: '0'.repeat(64) } as const
      const at = { project: 'project-1', namespace: 'main', subject: record.key }
      // Under her own name nobody looks for it; under CI's it is refused; nothing hinders writing it.
      await place.remote.create(entryName('main', record.key, key.own.id), signEntry(at, content, key.own), {
        signal,
      })
      await place.remote.create(entryName('main', record.key, ci.own.id), signEntry(at, content, key.own), {
        signal,
      })
      const built = await build(place.machine('nobody'))
      expect([built.outcome, built.disk]).toEqual(['built', alice.disk])
      expect(built.warnings).toEqual([
        expect.stringMatching(new RegExp(`the entry has no valid signature of ${ci.own.id.slice(0, 12)}$`)),
      ])
      // Whom alice is, reads her own; and who has no key has written nothing.
      expect((await build(place.machine('alice'))).outcome).toBe('fetched')
      const laptop = await startFaultProxy(place.server.port, () => false)
      await build(place.machine('nobody', `http://127.0.0.1:${laptop.port}`), chain('mine'))
      expect(laptop.requests.filter((line) => !/^(?:GET|HEAD) /.test(line))).toEqual([])
    },
  )

  test.each(kinds)('R8 %s: another origin is asked without credentials', async (kind) => {
    const place = placeOn(kind)
    const ci = await build(place.machine('ci'))
    const said = new Map<string, Buffer>()
    const seen: IncomingHttpHeaders[] = []
    const other = await startFaultProxy(place.server.port, ({ request, response }) => {
      seen.push(request.headers)
      response.end(said.get(request.url ?? ''))
      return true
    })
    const own: IncomingHttpHeaders[] = []
    const proxy = await startFaultProxy(
      place.server.port,
      onGet(async ({ request, response, pass }) => {
        own.push(request.headers)
        const { status, body } = await pass()
        if (status >= 400) return false
        said.set(request.url ?? '', body)
        return response.writeHead(307, { location: `http://127.0.0.1:${other.port}${request.url}` }).end()
      }),
    )
    const login: Readonly<Record<string, string>> = kind === 'nginx' ? { IMG_REMOTE_TOKEN: 'secret' } : {}
    const built = await build(place.machine('nobody', `http://127.0.0.1:${proxy.port}`, login))
    expect([built.outcome, built.disk]).toEqual(['fetched', ci.disk])
    expect(seen.length).toBeGreaterThan(3)
    if (kind !== 'registry') expect(own.every(({ authorization }) => authorization !== undefined)).toBe(true)
    for (const headers of seen) {
      expect(headers.authorization).toBeUndefined()
      expect(headers['x-amz-security-token']).toBeUndefined()
    }
  })
})

const isWrite = ({ request }: Exchange): boolean => request.method !== 'GET' && request.method !== 'HEAD'
const onWrite =
  (fault: Fault): Fault =>
  (exchange) =>
    isWrite(exchange) && fault(exchange)

interface WriteRow {
  readonly name: string
  readonly fault: Fault
  readonly warning?: RegExp
}

const writing: readonly WriteRow[] = [
  {
    name: 'R7 an upload that is cut',
    fault: onWrite(({ request, response }) => {
      request.once('data', () => response.destroy())
      request.once('end', () => response.destroy())
      return true
    }),
    warning: /was not sent to|cannot be reached/,
  },
  {
    name: 'R7 an answer that never comes though it was taken',
    fault: onWrite(async ({ response, pass }) => {
      await pass()
      response.destroy()
      return true
    }),
    warning: /was not sent to|cannot be reached/,
  },
  { name: 'R7 409', fault: onWrite(answering(409)) },
  { name: 'R7 412', fault: onWrite(answering(412)) },
  ...[413, 507, 403].map((status): WriteRow => ({
    name: `R7 ${status}`,
    fault: onWrite(answering(status)),
    warning: new RegExp(`was not sent to .*HTTP ${status}|HTTP ${status}`),
  })),
  {
    name: 'R9 every blob is said to be there',
    fault: (exchange) => exchange.request.method === 'HEAD' && !isEntry(exchange) && answering(200)(exchange),
  },
]

describe('CI that writes', () => {
  test.each(writing)('$name', async ({ fault, warning }) => {
    await Promise.all(
      kinds.map(async (kind) => {
        const place = placeOn(kind)
        const proxy = await startFaultProxy(place.server.port, fault)
        const origin = `http://127.0.0.1:${proxy.port}`
        const ci = await build(place.machine('ci', origin))
        expect([kind, ci.outcome]).toEqual([kind, 'built'])
        for (const text of ci.warnings) expect(text).toMatch(warning ?? /was not sent to/)
        if (warning !== undefined) expect(ci.warnings).not.toEqual([])
        expect(proxy.requests.length).toBeGreaterThan(0)
        // Whoever reads meanwhile gets all of it or builds.
        const laptop = await build(place.machine('nobody'))
        expect([kind, laptop.disk]).toEqual([kind, ci.disk])
        expect(['fetched', 'built']).toContain(laptop.outcome)
        // What is asked for by name says that it failed, or it did not.
        const again = await build(place.machine('ci', origin))
        const pushed = (await again.project.remotes())!.push(await recordOf(again, 'role:a'))
        const failed = await pushed.then(
          () => undefined,
          (error: unknown) => (error as { code?: unknown }).code,
        )
        expect([undefined, 'REMOTE_FAILED']).toContain(failed)
        // Without the fault it can be mended.
        const mended = await build(place.machine('ci'))
        await (await mended.project.remotes())!.push(await recordOf(mended, 'role:a'))
        const next = await build(place.machine('nobody'))
        expect([kind, next.outcome, next.disk, next.warnings]).toEqual([kind, 'fetched', ci.disk, []])
      }),
    )
  })

  test('R7 two that send the same at once', async () => {
    await Promise.all(
      kinds.map(async (kind) => {
        const place = placeOn(kind)
        const [one, two] = await Promise.all([build(place.machine('ci')), build(place.machine('ci'))])
        expect([kind, one.warnings, two.warnings]).toEqual([kind, [], []])
        const laptop = await build(place.machine('nobody'))
        expect([kind, laptop.outcome, laptop.disk, laptop.warnings]).toEqual([kind, 'fetched', one.disk, []])
      }),
    )
  })
})

async function recordOf(
  { project }: Built,
  name: string,
): Promise<NonNullable<Awaited<ReturnType<Project['store']['latest']>>>> {
  return (await project.store.latest(name))!
}

describe.skipIf(process.getuid?.() !== 0)('a folder', () => {
  const mounted = async (...options: readonly string[]): Promise<string> => {
    const at = mkdtempSync(join(folder, 'mounted-'))
    onTestFinished(() => void runProgram(['umount', at]))
    expect((await runProgram(['mount', '-t', 'tmpfs', ...options, 'img-test', at])).exitCode).toBe(0)
    return at
  }
  const at = (shared: SharedCache, path: string, as?: SharedCache['ci']): Machine =>
    shared.machine(as, { IMG_REMOTES: `file://${path}` })

  test('R1 that is not there is a miss to read, and said when it is written', async () => {
    const shared = sharedCache()
    const file = join(folder, 'file')
    mkdirSync(folder, { recursive: true })
    await runProgram(['touch', file])
    const built = await build(at(shared, join(file, 'below'), shared.ci))
    expect(built.outcome).toBe('built')
    expect(built.warnings[0]).toMatch(/was not sent to .*: .*is not there$/)
  })

  test('R7 that is full, or may only be read, fails no build and is whole for its readers', async () => {
    const shared = sharedCache()
    const small = await mounted('-o', 'size=64k')
    const ci = await build(at(shared, small, shared.ci))
    expect(ci.outcome).toBe('built')
    expect(ci.warnings.join('\n')).toMatch(/ENOSPC|no space/)
    expect((await build(at(shared, small))).disk).toBe(ci.disk)
    await runProgram(['mount', '-o', 'remount,size=64m', small])
    const mended = await build(at(shared, small, shared.ci))
    await (await mended.project.remotes())!.push(await recordOf(mended, 'role:a'))
    await runProgram(['mount', '-o', 'remount,ro', small])
    const reader = await build(at(shared, small))
    expect([reader.outcome, reader.disk, reader.warnings]).toEqual(['fetched', ci.disk, []])
    const writer = await build(at(shared, small, shared.ci), chain('changed'))
    expect(writer.outcome).toBe('built')
    expect(writer.warnings.join('\n')).toMatch(/EROFS|read-only/)
  })
})
