// What a shared cache may do to CI that writes it, on real servers and in a folder: no build fails of it, whoever reads
// gets all or nothing, and what is missing can be sent again.

import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { runProgram } from '../../../tasks/run/process.ts'
import { type Exchange, type Fault, startFaultProxy } from '../../rig/fault-proxy.ts'
import {
  answering,
  build,
  chain,
  isEntry,
  kinds,
  type Machine,
  placeOn,
  recordOf,
  withServers,
} from '../../rig/faulty-cache.ts'
import { type SharedCache, sharedCache } from '../../rig/shared-cache.ts'
import { tempFolder } from '../../rig/temp-folder.ts'

withServers()

const isWrite = ({ request }: Exchange): boolean => request.method !== 'GET' && request.method !== 'HEAD'
const onWrite =
  (fault: Fault): Fault =>
  (exchange) =>
    isWrite(exchange) && fault(exchange)

interface WriteRow {
  readonly name: string
  readonly fault: Fault
  readonly warning?: RegExp
  /** Where there is something to warn of; everywhere when absent. */
  readonly noticedBy?: readonly string[]
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
  // As if somebody had been there before, with everything.
  ...[409, 412].map((status): WriteRow => ({
    name: `R7 ${status}`,
    fault: onWrite(answering(status)),
    warning: /was not sent to/,
  })),
  ...[413, 507, 403].map((status): WriteRow => ({
    name: `R7 ${status}`,
    fault: onWrite(answering(status)),
    warning: new RegExp(`was not sent to .*HTTP ${status}|HTTP ${status}`),
  })),
  {
    name: 'R9 every blob is said to be there',
    fault: (exchange) => exchange.request.method === 'HEAD' && !isEntry(exchange) && answering(200)(exchange),
    // Its answers have another length than the blobs; a registry is asked again after they were sent.
    warning: /in another length|takes no manifest/,
    noticedBy: ['registry'],
  },
]

describe('CI that writes', () => {
  test.each(writing)('$name', async ({ fault, warning, noticedBy = kinds }) => {
    await Promise.all(
      kinds.map(async (kind) => {
        const place = placeOn(kind)
        const proxy = await startFaultProxy(place.server.port, fault)
        const origin = `http://127.0.0.1:${proxy.port}`
        const ci = await build(place.machine('ci', origin))
        expect([kind, ci.outcome]).toEqual([kind, 'built'])
        for (const text of ci.warnings) expect(text).toMatch(warning ?? /was not sent to/)
        expect([kind, ci.warnings.length > 0]).toEqual([
          kind,
          warning !== undefined && noticedBy.includes(kind),
        ])
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

const mounted = async (...options: readonly string[]): Promise<string> => {
  const at = tempFolder()
  onTestFinished(async () => void (await runProgram(['umount', at])))
  expect((await runProgram(['mount', '-t', 'tmpfs', ...options, 'img-test', at])).exitCode).toBe(0)
  return at
}
const at = (shared: SharedCache, path: string, as?: SharedCache['ci']): Machine =>
  shared.machine(as, { IMG_REMOTES: `file://${path}` })

describe.skipIf(process.getuid?.() !== 0)('a folder', () => {
  test('R1 that is not there is a miss to read, and said when it is written', async () => {
    const shared = sharedCache()
    const file = join(tempFolder({ file: '' }), 'file')
    const built = await build(at(shared, join(file, 'below'), shared.ci))
    expect(built.outcome).toBe('built')
    expect(built.warnings.length).toBeGreaterThan(0)
    expect(built.warnings.filter((text) => !text.endsWith(`${join(file, 'below')} is not there`))).toEqual([])
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
