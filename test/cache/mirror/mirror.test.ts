import { Agent, get as httpGet, type IncomingHttpHeaders, type RequestOptions } from 'node:http'
import { once } from 'node:events'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Mirror } from '../../../cache/mirror/mirror.ts'
import { repinGone } from '../../../tasks/run/apt-pin.ts'
import { october, trixie, useArchiveProject } from '../../rig/archive-project.ts'
import { hasGpg, packageFile, sha256 } from '../../rig/fake-archive.ts'
import { debianArchitecture } from '../../../tasks/run/apt-indexes.ts'

describe.runIf(hasGpg)('the recording proxy', () => {
  const rig = useArchiveProject()
  let mirror: Mirror
  const hello = packageFile('hello_1.0')
  const lists = `dists/trixie/main/binary-${debianArchitecture()}`
  beforeEach(async () => {
    mirror = await rig.startMirror()
  })

  const ask = (path: string, options: RequestOptions = {}): Promise<Answer> =>
    request(`${baseOf(mirror)}/${path}`, options)
  const part = (range: string, more = {}): Promise<Answer> => ask(hello, { headers: { range, ...more } })
  const warnings = (): unknown[] => rig.project.events.filter(({ event }) => event === 'warning')

  test('access: sources, configuration, keyring and date', () => {
    const { sources, config, keyring, date } = mirror.access(trixie)
    expect(sources).toEqual([
      expect.stringMatching(
        /^deb \[signed-by=\/run\/img\/apt\/keyring\.gpg\] http:\/\/127\.0\.0\.1:\d+\/[0-9a-f]{32}\/debian trixie main$/,
      ),
    ])
    expect(config).toContain('Acquire::Check-Valid-Until "false";')
    expect(config).toContain('Acquire::http::Proxy "DIRECT";')
    expect(keyring).toBe(rig.signer.keyring)
    expect(date).toBe(Date.parse('2026-09-12T07:55:41Z') / 1000)
  })

  test('the pinned InRelease is served, whatever the mirror has by now', async () => {
    const pinned = rig.project.mirror.files.get('/debian/dists/trixie/InRelease')
    rig.project.serve(october)
    const answer = await ask('dists/trixie/InRelease')
    expect(answer.status).toBe(200)
    expect(answer.body).toEqual(pinned)
    expect(answer.headers['last-modified']).toBe('Sat, 12 Sep 2026 07:55:41 GMT')
  })

  test('package lists by digest and by path', async () => {
    const list = rig.project.mirror.files.get(`/debian/${lists}/Packages.gz`) ?? Buffer.alloc(0)
    expect((await ask(`${lists}/by-hash/SHA256/${sha256(list)}`)).body).toEqual(list)
    expect((await ask(`${lists}/Packages.gz`)).body).toEqual(list)
  })

  test('a package is fetched once, then served from the cache, also to the next process and without the mirror', async () => {
    expect((await ask(hello)).body.toString()).toBe('hello, one')
    const downloaded = mirror.stats().downloaded
    expect(downloaded.requests).toBe(3)
    await rig.project.mirror.down()
    expect((await ask(hello)).body.toString()).toBe('hello, one')
    expect(mirror.stats()).toEqual({ served: { requests: 2, bytes: 20 }, downloaded, refused: 0 })
    mirror = await rig.startMirror()
    expect((await ask(hello)).body.toString()).toBe('hello, one')
    expect(mirror.stats()).toEqual({
      served: { requests: 1, bytes: 10 },
      downloaded: { requests: 0, bytes: 0 },
      refused: 0,
    })
  })

  test('what is built from it: files it answered with, and lists of its inputs, asked for or not', async () => {
    await ask(hello)
    const file = { sha256: sha256(Buffer.from('hello, one')), size: 10 }
    const list = rig.project.mirror.files.get(`/debian/${lists}/Packages.gz`) ?? Buffer.alloc(0)
    expect(await mirror.served()).toEqual(
      expect.arrayContaining([file, { sha256: sha256(list), size: list.length }]),
    )
  })

  test('a name with characters that apt escapes', async () => {
    const world = packageFile('world_2.0+b1')
    expect((await ask(world.replace('+', '%2b'))).body.toString()).toBe('a world')
    expect(rig.project.mirror.requests.at(-1)).toBe(`GET /debian/${world}`)
  })

  test('many clients that want one file at once cause one download', async () => {
    const gate = new AbortController()
    rig.project.mirror.faults.set(`/debian/${hello}`, [{ after: once(gate.signal, 'abort') }])
    const asked = Array.from({ length: 8 }, () => ask(hello))
    await until(() => rig.project.mirror.requests.includes(`GET /debian/${hello}`))
    gate.abort()
    for (const answer of await Promise.all(asked)) expect(answer.body.toString()).toBe('hello, one')
    expect(rig.project.mirror.requests.filter((line) => line.endsWith(hello))).toHaveLength(1)
  })

  test('ranges', async () => {
    const middle = await part('bytes=3-5')
    expect([middle.status, middle.body.toString()]).toEqual([206, 'lo,'])
    expect(middle.headers['content-range']).toBe('bytes 3-5/10')
    expect((await part('bytes=7-')).body.toString()).toBe('one')
    expect((await part('bytes=-3')).body.toString()).toBe('one')
    expect((await part('bytes=7-999')).headers['content-range']).toBe('bytes 7-9/10')
    const beyond = await part('bytes=10-')
    expect([beyond.status, beyond.headers['content-range']]).toEqual([416, 'bytes */10'])
    expect((await part('bytes=0-1,4-5')).status).toBe(200)
    expect((await part('bytes=-')).status).toBe(200)
    const date = 'Sat, 12 Sep 2026 07:55:41 GMT'
    expect((await part('bytes=7-', { 'if-range': date })).status).toBe(206)
    expect((await part('bytes=7-', { 'if-range': 'Sat, 12 Sep 2026 07:55:42 GMT' })).status).toBe(200)
    expect((await part('bytes=7-', { 'if-range': middle.headers.etag })).status).toBe(206)
  })

  test('HEAD has the length and no body', async () => {
    const answer = await ask(hello, { method: 'HEAD' })
    expect([answer.status, answer.headers['content-length'], answer.body.length]).toEqual([200, '10', 0])
    const post = await ask(hello, { method: 'POST' })
    expect([post.status, post.body.toString()]).toEqual([405, 'only GET and HEAD\n'])
  })

  test.each([
    ['dists/trixie/Release', 'not listed by the locked state of trixie'],
    [`${lists}/by-hash/SHA256/${'0'.repeat(64)}`, 'not listed by the locked state of trixie'],
    [`${lists}/by-hash/MD5Sum/${'0'.repeat(32)}`, 'only SHA256 digests are known here'],
    ['dists/bookworm/InRelease', 'imgfile.lock has no suite bookworm'],
    [packageFile('hello_1.1'), 'not listed by any locked suite'],
    ['../../etc/passwd', 'not a path of this mirror'],
    ['pool/%2e%2e/x', 'not a path of this mirror'],
    ['project/trace', 'neither below dists/ nor below pool/'],
  ])('%s is refused', async (path, reason) => {
    const asked = rig.project.mirror.requests.length
    const answer = await ask(path)
    expect([answer.status, answer.message, answer.body.toString()]).toEqual([404, reason, `${reason}\n`])
    expect(rig.project.mirror.requests.length).toBe(asked)
    expect(mirror.stats().refused).toBe(1)
  })

  test('without the token nothing is served', async () => {
    const url = new URL(baseOf(mirror))
    const answer = await request(`${url.origin}/${'0'.repeat(32)}/debian/dists/trixie/InRelease`)
    expect([answer.status, answer.message]).toEqual([404, 'not a path of this mirror'])
  })

  test.each([
    [[{ status: 404 }], 'answered 404', 1],
    [[{ status: 500 }], 'answered 500', 3],
    [[{ status: 403 }], 'answered 403', 1],
    [[{ instead: 'HELLO, ONE' }], `has sha256 ${sha256('HELLO, ONE')} instead of ${sha256('hello, one')}`, 3],
    [[{ instead: 'hello, one and more' }], 'longer than the 10 bytes it should have', 3],
    [[{ endAfter: 4 }], 'ends after 4 of 10 bytes', 3],
    [[{ cutAfter: 4 }], 'the connection was cut', 3],
  ])('upstream fault %j', async (faults, reason, attempts) => {
    rig.project.mirror.faults.set(`/debian/${hello}`, faults)
    const answer = await ask(hello)
    const text = `the mirror's ${hello}: ${reason}`
    expect([answer.status, answer.body.toString()]).toEqual([502, `${text}\n`])
    expect(answer.message).toBe(text)
    expect(warnings()).toEqual([{ event: 'warning', text }])
    expect(rig.project.mirror.requests.filter((line) => line.endsWith(hello))).toHaveLength(attempts)
    rig.project.mirror.faults.clear()
    expect((await ask(hello)).body.toString()).toBe('hello, one')
  })

  test.each([[{ status: 500 }], [{ status: 429 }], [{ cutAfter: 4 }], [{ instead: 'nonsense' }]])(
    'one %j is got over',
    async (fault) => {
      rig.project.mirror.faults.set(`/debian/${hello}`, [fault, 'none'])
      expect((await ask(hello)).body.toString()).toBe('hello, one')
      expect(warnings()).toEqual([])
    },
  )

  test('a package that is gone is reported, so that the state can be pinned anew', async () => {
    rig.project.mirror.files.delete(`/debian/${hello}`)
    expect((await ask(hello)).status).toBe(502)
    expect(mirror.gone()).toEqual([
      { archive: 'debian', suite: 'trixie', path: hello, reason: 'answered 404' },
    ])
  })

  test('and then the present state is pinned, which has another', async () => {
    rig.project.serve(october)
    rig.project.mirror.files.delete(`/debian/${hello}`)
    await ask(hello)
    const lock = await rig.project.open()
    expect(await repinGone(lock, mirror.gone(), rig.project.context)).toEqual([
      { archive: 'debian', suite: 'trixie' },
    ])
    expect(lock.pins().map(({ date }) => date)).toEqual(['2026-10-10T08:00:00Z'])
    expect(warnings().at(-1)).toEqual({
      event: 'warning',
      text:
        `the locked state of trixie (2026-09-12T07:55:41Z) is gone: ${hello} answered 404; ` +
        "pinned the mirror's present state (2026-10-10T08:00:00Z)",
      hint: 'commit imgfile.lock, so that others build the same',
    })
  })

  test('unless the present state is the locked one: that mirror is broken', async () => {
    rig.project.mirror.files.delete(`/debian/${hello}`)
    await ask(hello)
    expect(await repinGone(await rig.project.open(), mirror.gone(), rig.project.context)).toEqual([])
  })

  test('or the lock is frozen', async () => {
    rig.project.serve(october)
    rig.project.mirror.files.delete(`/debian/${hello}`)
    await ask(hello)
    const lock = await rig.project.open({ frozen: true })
    await expect(repinGone(lock, mirror.gone(), rig.project.context)).rejects.toMatchObject({
      code: 'LOCK_FROZEN',
      message: `the locked state of trixie is gone: ${hello} answered 404`,
    })
  })

  test('a mirror that is down is not called gone', async () => {
    await rig.project.mirror.down()
    expect((await ask(hello)).status).toBe(502)
    expect(mirror.gone()).toEqual([])
  })

  test('a mirror that stays down is not asked several times for each of many files', async () => {
    rig.project.mirror.faults.set(`/debian/${hello}`, [{ status: 503 }])
    for (let time = 0; time < 6; time += 1) await ask(hello)
    expect(warnings()).toHaveLength(5)
    expect(rig.project.mirror.requests.filter((line) => line.endsWith(hello))).toHaveLength(
      3 + 3 + 3 + 1 + 1 + 1,
    )
  })

  test('two pipelined requests on one connection are answered in order', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const answers = await Promise.all(
      [hello, packageFile('world_2.0+b1')].map((path) => ask(path, { agent })),
    )
    agent.destroy()
    expect(answers.map(({ body }) => body.toString())).toEqual(['hello, one', 'a world'])
  })

  test('after closing, nobody listens', async () => {
    const url = `${baseOf(mirror)}/dists/trixie/InRelease`
    await mirror.close()
    await expect(request(url)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })
})

function baseOf(mirror: Mirror): string {
  return mirror.access(trixie).sources[0]?.split(' ')[2] ?? ''
}

interface Answer {
  readonly status: number
  readonly message: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** Not fetch: it would normalise `..` away. */
function request(url: string, options: RequestOptions = {}): Promise<Answer> {
  const { hostname, port } = new URL(url)
  const path = url.slice(url.indexOf('/', 'http://'.length))
  return new Promise((resolve, reject) => {
    const sent = httpGet({ hostname, port, path, ...options }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const { statusCode: status = 0, statusMessage: message = '', headers } = response
        resolve({ status, message, headers, body: Buffer.concat(chunks) })
      })
    })
    sent.on('error', reject).end()
  })
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve))
}
