// Whom a laptop believes, and what it sends to whom, on real servers.

import { readFileSync } from 'node:fs'
import type { IncomingHttpHeaders } from 'node:http'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { entryName } from '../../../cache/remotes/find-entry.ts'
import { signEntry } from '../../../cache/trust/signed-entry.ts'
import { runProgram } from '../../../tasks/run/process.ts'
import { signal } from '../../contract/remote.ts'
import { startFaultProxy } from '../../rig/fault-proxy.ts'
import { build, chain, kinds, onGet, placeOn, recordOf, withServers } from '../../rig/faulty-cache.ts'
import type { ServerKind } from '../../rig/remote-servers.ts'

withServers()

describe('a laptop that reads', () => {
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
    // The registry of the test wants no name.
    expect(own.every(({ authorization }) => authorization !== undefined)).toBe(kind !== 'registry')
    for (const headers of seen) {
      expect(headers.authorization).toBeUndefined()
      expect(headers['x-amz-security-token']).toBeUndefined()
    }
  })
})
