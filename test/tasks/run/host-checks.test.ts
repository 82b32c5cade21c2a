import { createServer } from 'node:http'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { checkClock, checkHost } from '../../../tasks/run/host-checks.ts'
import { testContext } from '../../rig/run-context.ts'

const now = Date.parse('2026-11-22T17:00:00Z')

describe('checkClock', () => {
  it.each([
    ['Sun, 22 Nov 2026 17:00:30 GMT', 'ok', 'right'],
    ['Sun, 22 Nov 2026 17:10:00 GMT', 'ok', '600 s behind'],
    ['Sat, 21 Nov 2026 17:00:00 GMT', 'missing', '86400 s ahead'],
    [null, 'ok', 'nothing to compare it with'],
  ])('compares with %s', (date, status, found) => {
    expect(checkClock(date, now)).toMatchObject({ name: 'clock', status, found })
  })
})

// Starts every program once, on a host that may be busy.
describe('checkHost', { timeout: 60_000 }, () => {
  it('finds mirror, clock, acceleration and space', async () => {
    const url = await server(200)
    const context = testContext({ env: { IMG_MIRROR: url, IMG_ACCEL: 'tcg' }, now: () => now })
    const checks = new Map((await checkHost(context)).map((check) => [check.name, check]))
    expect(checks.get('mirror')).toEqual({ name: 'mirror', status: 'ok', found: url })
    expect(checks.get('clock')).toEqual({ name: 'clock', status: 'ok', found: 'right' })
    expect(checks.get('acceleration')).toEqual({
      name: 'acceleration',
      status: 'limited',
      found: 'tcg: IMG_ACCEL=tcg',
      hint: 'booting images takes minutes instead of seconds',
    })
    expect(checks.get('space for the cache')?.found).toContain(` free in ${context.cacheDir}`)
    expect(checks.has('subordinate ids')).toBe(false)
  })

  it('says what is wrong with each, and goes on', async () => {
    const url = await server(503)
    const context = testContext({ env: { IMG_MIRROR: url, IMG_ACCEL: 'hvf' }, uid: 1000, now: () => now })
    writeFileSync(join(context.root, 'file'), '')
    const unusable = { ...context, cacheDir: join(context.root, 'file', 'cache') }
    const checks = new Map((await checkHost(unusable)).map((check) => [check.name, check]))
    expect(checks.get('mirror')).toEqual({
      name: 'mirror',
      status: 'limited',
      found: `${url}: it answers 503`,
      hint: 'set IMG_MIRROR to a mirror this host can reach; what is cached still builds',
    })
    expect(checks.get('acceleration')).toMatchObject({ status: 'missing', found: 'IMG_ACCEL is "hvf"' })
    expect(checks.get('space for the cache')).toMatchObject({
      status: 'missing',
      hint: 'set IMG_CACHE_DIR to a folder you may write',
    })
    expect(checks.has('subordinate ids')).toBe(true)
  })
})

/** URL of a mirror that answers with this status and the time. */
async function server(status: number): Promise<string> {
  const http = createServer((_, response) => {
    response.writeHead(status, { date: new Date(now).toUTCString() }).end()
  })
  onTestFinished(() => void http.close())
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const address = http.address()
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`
}
