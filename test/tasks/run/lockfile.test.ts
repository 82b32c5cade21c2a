import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { openLock } from '../../../tasks/run/lockfile.ts'
import {
  october,
  openArchiveProject,
  september,
  trixie,
  useArchiveProject,
} from '../../rig/archive-project.ts'
import { hasGpg, sha256 } from '../../rig/fake-archive.ts'

describe.runIf(hasGpg)('imgfile.lock', () => {
  const rig = useArchiveProject()

  const inRelease = (): string =>
    sha256(rig.project.mirror.files.get('/debian/dists/trixie/InRelease') ?? Buffer.alloc(0))
  const everything = { ...trixie, updates: true, security: true }
  const serveEverything = (): void => {
    rig.project.serve({ suite: 'trixie-updates', date: september.date, packages: { clock_1: 'tick' } })
    rig.project.serve({ suite: 'trixie-security', date: october.date, packages: { safe_1: 'shut' } })
  }

  test('the first use pins the suite and says so', async () => {
    const lock = await rig.project.open()
    const resolved = await lock.resolve(trixie)
    expect(resolved).toEqual({
      kind: 'apt',
      inKey: true,
      digest: sha256(`{"states":[["trixie","${inRelease()}"]],"components":["main"]}`),
      files: [{ path: 'apt/trixie/InRelease', digest: inRelease() }],
    })
    expect(rig.project.events).toEqual([
      {
        event: 'note',
        text: 'imgfile.lock: pinned trixie of debian as of 2026-09-12 07:55',
      },
    ])
  })

  test('the file is sorted, one fact a line, and names no host', async () => {
    serveEverything()
    await (await rig.project.open()).resolve(everything)
    const text = readFileSync(rig.project.lockPath, 'utf8')
    expect(text).not.toContain('127.0.0.1')
    expect(text).not.toContain('http')
    expect(Object.keys(JSON.parse(text).apt)).toEqual(['debian', 'debian-security'])
    expect(text.split('\n').slice(0, 8)).toEqual([
      '{',
      '  "apt": {',
      '    "debian": {',
      '      "trixie": {',
      '        "date": "2026-09-12T07:55:41Z",',
      `        "inRelease": "${inRelease()}",`,
      '        "indexes": {',
      expect.stringMatching(/^ {10}"main\/binary-[a-z0-9]+\/Packages.gz": "[0-9a-f]{64}"$/),
    ])
    expect(text.endsWith('\n')).toBe(true)
  })

  test('afterwards nothing is asked of any mirror, and the answer is the same', async () => {
    serveEverything()
    const first = await (await rig.project.open()).resolve(everything)
    rig.project.serve(october)
    await rig.project.mirror.down()
    const asked = rig.project.mirror.requests.length
    const later = await openLock({ ...rig.project.context, env: {} }, { frozen: true })
    expect(await later.resolve(everything)).toEqual(first)
    expect(rig.project.mirror.requests.length).toBe(asked)
  })

  test('another host, cache and folder give the same digest from the same file', async () => {
    const first = await (await rig.project.open()).resolve(trixie)
    const other = await openArchiveProject(rig.signer)
    writeFileSync(other.lockPath, readFileSync(rig.project.lockPath))
    expect(await (await other.open()).resolve(trixie)).toEqual(first)
    expect(other.mirror.requests).toEqual([])
    await other.close()
  })

  test('another state, another set of suites and another set of components are other digests', async () => {
    serveEverything()
    const lock = await rig.project.open()
    const digests = new Set<string>()
    for (const input of [trixie, { ...trixie, updates: true }, everything]) {
      digests.add((await lock.resolve(input)).digest)
    }
    digests.add((await lock.resolve({ ...trixie, components: ['main', 'contrib'] })).digest)
    expect(digests.size).toBe(4)
    const again = await lock.resolve({ ...trixie, components: ['contrib', 'main', 'main'] })
    expect(digests.has(again.digest)).toBe(true)
  })

  test('inputs resolved at once ask the mirror once', async () => {
    const lock = await rig.project.open()
    await Promise.all(Array.from({ length: 10 }, () => lock.resolve(trixie)))
    expect(rig.project.mirror.requests).toEqual(['GET /debian/dists/trixie/InRelease'])
  })

  test('two processes that pin at once agree, although the mirror moved between them', async () => {
    const [first, second] = [await rig.project.open(), await rig.project.open()]
    const one = await first.resolve(trixie)
    rig.project.serve(october)
    const two = await second.resolve(trixie)
    expect(two).toEqual(one)
  })

  test('a component that does not exist is named, with those that do', async () => {
    const lock = await rig.project.open()
    await expect(lock.resolve({ ...trixie, components: ['main', 'contribb'] })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: 'trixie has no component contribb',
      fields: {
        validOptions: ['main'],
        hint: 'correct the component in the imgfile or the preseed file',
      },
    })
  })

  test('a suite the mirror does not have', async () => {
    const lock = await rig.project.open()
    await expect(lock.resolve({ ...trixie, suite: 'trixi' })).rejects.toMatchObject({
      code: 'INPUT_MISSING',
      message: `${rig.project.mirror.url}/debian has no suite trixi: dists/trixi/InRelease answered 404`,
      fields: { hint: "check the suite's name, or set IMG_MIRROR to a mirror that has it" },
    })
  })

  test('without network and without a pin', async () => {
    await rig.project.mirror.down()
    const port = new URL(rig.project.mirror.url).port
    await expect((await rig.project.open()).resolve(trixie)).rejects.toMatchObject({
      code: 'MIRROR_UNREACHABLE',
      message: `cannot read dists/trixie/InRelease from ${rig.project.mirror.url}/debian: connect ECONNREFUSED 127.0.0.1:${port}`,
      fields: {
        hint: 'check the network and http_proxy, or set IMG_MIRROR to a mirror this machine can reach',
      },
    })
  })

  test('without network, but with a state this cache has seen, that state is pinned with a warning', async () => {
    const before = await (await rig.project.open()).resolve(trixie)
    writeFileSync(rig.project.lockPath, '{ "version": 1, "apt": {} }')
    await rig.project.mirror.down()
    expect(await (await rig.project.open()).resolve(trixie)).toEqual(before)
    expect(rig.project.events.filter(({ event }) => event === 'warning')).toEqual([
      {
        event: 'warning',
        text: `${rig.project.mirror.url}/debian cannot be reached; using the state of trixie it had when last seen`,
        hint: 'run `img update` when the network is back',
      },
    ])
  })

  test('--frozen allows no new pin', async () => {
    await expect((await rig.project.open({ frozen: true })).resolve(trixie)).rejects.toMatchObject({
      code: 'LOCK_FROZEN',
      message: 'imgfile.lock has no state of trixie, and --frozen allows no new one',
      fields: {
        path: 'imgfile.lock',
        hint: 'run `img build` once without --frozen and commit imgfile.lock',
      },
    })
    expect(rig.project.mirror.requests).toEqual([])
  })

  test('a state past its Valid-Until is pinned with a warning', async () => {
    rig.project.serve({ ...september, fields: { 'Valid-Until': 'Sat, 19 Sep 2026 07:55:41 UTC' } })
    await (await rig.project.open()).resolve(trixie)
    expect(rig.project.events[0]).toEqual({
      event: 'warning',
      text: "the mirror's state of trixie (2026-09-12T07:55:41Z) was valid until 2026-09-19T07:55:41Z only",
      hint: 'the mirror is not kept up to date: set IMG_MIRROR to another one',
    })
  })

  test('a clock before the state refuses to pin it', async () => {
    const context = { now: () => Date.parse('2026-09-12T07:55:40Z') }
    await expect((await rig.project.open({ context })).resolve(trixie)).rejects.toMatchObject({
      code: 'CLOCK_WRONG',
      message: "this machine's clock is before the date of trixie's package state",
      fields: {
        wanted: '2026-09-12T07:55:41Z or later',
        found: '2026-09-12T07:55:40Z',
        hint: 'set the clock, for example with `timedatectl set-ntp true`',
      },
    })
  })

  test('a password in the mirror URL is in no message', async () => {
    await rig.project.mirror.down()
    const env = { ...rig.project.context.env, IMG_MIRROR: 'http://me:secret@127.0.0.1:9/debian' }
    const lock = await rig.project.open({ context: { env } })
    await expect(lock.resolve(trixie)).rejects.toMatchObject({
      message:
        'cannot read dists/trixie/InRelease from http://127.0.0.1:9/debian: connect ECONNREFUSED 127.0.0.1:9',
    })
  })

  test('using an input before it was resolved is a bug', async () => {
    const lock = await rig.project.open()
    expect(() => lock.pinsOf(trixie)).toThrow('apt input trixie was used before it was resolved')
  })
})
