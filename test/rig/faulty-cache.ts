// Machines that share a cache on a real server, with a proxy between them that does what a test says.

import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { afterAll, beforeAll } from 'vitest'
import { openRemote } from '../../cache/remotes/open-remote.ts'
import type { Remote } from '../../cache/remotes/remote.ts'
import type { LayerRecord } from '../../cache/store.ts'
import { fakeBackend } from '../../tasks/backends/fake.ts'
import { runBuild } from '../../tasks/build.ts'
import type { RunContext } from '../../tasks/context.ts'
import type { ImgEvent } from '../../tasks/events.ts'
import { layer } from '../../tasks/plan/declare.ts'
import type { Layer } from '../../tasks/plan/recipe.ts'
import type { Project } from '../../tasks/run/project.ts'
import { child, fakeProject, fixed, root, write } from './fake-project.ts'
import { type Exchange, type Fault, send } from './fault-proxy.ts'
import { type RemoteServer, type ServerKind, startRemoteServer } from './remote-servers.ts'
import { type SharedCache, sharedCache } from './shared-cache.ts'

const servers = new Map<ServerKind, RemoteServer>()

/** For all tests of a file. */
export function withServers(): void {
  const folder = mkdtempSync(join(tmpdir(), 'img-faults-'))
  beforeAll(async () => {
    for (const kind of kinds) servers.set(kind, await startRemoteServer(kind, folder))
  })
  afterAll(async () => {
    for (const { stop } of servers.values()) await stop()
    rmSync(folder, { recursive: true, force: true })
  })
}

export const kinds = ['nginx', 'registry', 's3'] as const
export type Machine = RunContext & { readonly events: ImgEvent[] }

/** A remote of its own on one of the servers, and machines that share it. */
export interface Place {
  readonly shared: SharedCache
  readonly server: RemoteServer
  readonly name: string
  readonly remote: Remote
  /** At the server itself, or where it is told. */
  machine(as: 'ci' | 'alice' | 'nobody', origin?: string, env?: Readonly<Record<string, string>>): Machine
}

let count = 0

export function placeOn(kind: ServerKind): Place {
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

export const chain = (content = 'r'): readonly Layer[] => {
  const install = layer('install:a', root('a'))
  const base = child('base:a', install, fixed([write('/etc/base', 'b')]))
  return [install, base, child('role:a', base, fixed([write('/etc/role', content)]))]
}

export interface Built {
  readonly project: Project
  readonly outcome: string | undefined
  readonly warnings: readonly string[]
  /** sha256 of the role's disk as it is restored. */
  readonly disk: string
  readonly seconds: number
}

export async function build(machine: Machine, layers = chain()): Promise<Built> {
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

export const isEntry = ({ request }: Exchange): boolean => /\/(?:records|manifests)\//.test(request.url ?? '')
const isGet = ({ request }: Exchange): boolean => request.method === 'GET'
/** Of a laptop that reads: every GET. */
export const onGet =
  (fault: (exchange: Exchange) => unknown): Fault =>
  async (exchange) =>
    isGet(exchange) && (await fault(exchange)) !== false

export const answering =
  (status: number, headers: Readonly<Record<string, string>> = {}, body = 'no'): Fault =>
  ({ response }) => {
    response.writeHead(status, headers).end(body)
    return true
  }

/** Passes on what the server says with something changed. */
export const changing = (
  change: (body: Buffer) => Buffer,
  headers: Readonly<Record<string, string>> = {},
): Fault =>
  onGet(async ({ response, pass }) => {
    const answer = await pass()
    if (answer.status >= 400) return send(response, answer)
    const { 'content-length': _, ...rest } = answer.headers
    return send(response, { ...answer, headers: { ...rest, ...headers }, body: change(answer.body) })
  })

export async function recordOf({ project }: Built, name: string): Promise<LayerRecord> {
  return (await project.store.latest(name))!
}
