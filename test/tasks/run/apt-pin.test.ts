import { readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openContent, type Wanted } from '../../../cache/mirror/content.ts'
import { openArchives } from '../../../tasks/run/apt-archives.ts'
import { debianArchitecture } from '../../../tasks/run/apt-indexes.ts'
import { obtainLocked } from '../../../tasks/run/apt-pin.ts'
import { openLock } from '../../../tasks/run/lockfile.ts'
import { october, september, trixie, useArchiveProject } from '../../rig/archive-project.ts'
import { hasGpg, makeSuite, sha256 } from '../../rig/fake-archive.ts'

describe.runIf(hasGpg)('obtaining the locked state', () => {
  const rig = useArchiveProject()
  const list = `main/binary-${debianArchitecture()}/Packages.gz`

  const warnings = (): unknown[] => rig.project.events.filter(({ event }) => event === 'warning')
  const lockText = (): string => readFileSync(rig.project.lockPath, 'utf8')
  const byHash = (content: typeof september): string => {
    const bytes = makeSuite(rig.signer, content).get(`dists/trixie/${list}`) ?? Buffer.alloc(0)
    return `/debian/dists/trixie/main/binary-${debianArchitecture()}/by-hash/SHA256/${sha256(bytes)}`
  }
  const forgetCache = async (): Promise<void> => await rm(rig.project.context.cacheDir, { recursive: true })

  test('brings the package lists into the cache once', async () => {
    const lock = await rig.project.open()
    await lock.resolve(trixie)
    expect(await obtainLocked(lock, [trixie], rig.project.context)).toEqual([])
    const asked = [...rig.project.mirror.requests]
    expect(asked).toEqual(['GET /debian/dists/trixie/InRelease', `GET ${byHash(september)}`])
    await rig.project.mirror.down()
    expect(await obtainLocked(await rig.project.open(), [trixie], rig.project.context)).toEqual([])
    expect(rig.project.mirror.requests).toEqual(asked)
  })

  test('a mirror that has moved on but kept the old lists still serves the locked state', async () => {
    await (await rig.project.open()).resolve(trixie)
    const before = lockText()
    const old = rig.project.mirror.files.get(byHash(september)) ?? Buffer.alloc(0)
    rig.project.serve(october)
    rig.project.mirror.files.set(byHash(september), old)
    expect(await obtainLocked(await rig.project.open(), [trixie], rig.project.context)).toEqual([])
    expect(lockText()).toBe(before)
  })

  test('what the mirror has no more, somebody else kept; nothing else is believed', async () => {
    await (await rig.project.open()).resolve(trixie)
    await obtainLocked(await rig.project.open(), [trixie], rig.project.context)
    const before = lockText()
    const kept = openContent(join(rig.project.context.cacheDir, 'mirror'))
    const files = new Map<string, Buffer>()
    for (const { inRelease, indexes } of (await rig.project.open()).pins()) {
      for (const digest of [inRelease, ...Object.values(indexes)])
        files.set(digest, (await kept.read(digest)) ?? Buffer.alloc(0))
    }
    await forgetCache()
    rig.project.serve(october)
    const asked: string[] = []
    const elsewhere = async (wanted: Wanted): Promise<Buffer | undefined> => {
      asked.push(wanted.sha256)
      return files.get(wanted.sha256)
    }
    const archives = openArchives(rig.project.context, undefined, elsewhere)
    const lock = await openLock(rig.project.context, { frozen: false, archives })
    expect(await obtainLocked(lock, [trixie], rig.project.context)).toEqual([])
    expect(lockText()).toBe(before)
    expect(new Set(asked)).toEqual(new Set(files.keys()))
  })

  test('a mirror without by-hash is asked for the plain path', async () => {
    rig.project.serve({ ...september, byHash: false })
    const lock = await rig.project.open()
    await lock.resolve(trixie)
    expect(await obtainLocked(lock, [trixie], rig.project.context)).toEqual([])
    expect(rig.project.mirror.requests).toEqual([
      'GET /debian/dists/trixie/InRelease',
      `GET /debian/dists/trixie/${list}`,
    ])
  })

  test('lists that are gone everywhere: the present state is pinned, with a warning', async () => {
    const first = await (await rig.project.open()).resolve(trixie)
    rig.project.serve(october)
    const lock = await rig.project.open()
    expect(await obtainLocked(lock, [trixie], rig.project.context)).toEqual([
      { archive: 'debian', suite: 'trixie' },
    ])
    expect((await lock.resolve(trixie)).digest).not.toBe(first.digest)
    expect(lockText()).toContain('"date": "2026-10-10T08:00:00Z"')
    const text = makeSuite(rig.signer, october).get(`dists/trixie/${list}`)?.length
    expect(warnings()).toEqual([
      {
        event: 'warning',
        text: expect.stringMatching(
          new RegExp(
            `^the locked state of trixie \\(2026-09-12T07:55:41Z\\) is gone: ${list} (has sha256 [0-9a-f]{64} ` +
              `instead of [0-9a-f]{64}|ends after ${text} of \\d+ bytes|longer than the \\d+ bytes it should have); ` +
              `pinned the mirror's present state \\(2026-10-10T08:00:00Z\\)$`,
          ),
        ),
        hint: 'commit imgfile.lock, so that others build the same',
      },
    ])
    expect(await obtainLocked(lock, [trixie], rig.project.context)).toEqual([])
  })

  test('a lock from elsewhere whose InRelease nobody has any more', async () => {
    await (await rig.project.open()).resolve(trixie)
    await forgetCache()
    rig.project.serve(october)
    expect(await obtainLocked(await rig.project.open(), [trixie], rig.project.context)).toHaveLength(1)
    expect(warnings()).toEqual([
      {
        event: 'warning',
        text:
          'the locked state of trixie (2026-09-12T07:55:41Z) is gone: no InRelease file of 2026-09-12T07:55:41Z ' +
          "in the cache or on the mirror; pinned the mirror's present state (2026-10-10T08:00:00Z)",
        hint: 'commit imgfile.lock, so that others build the same',
      },
    ])
  })

  test('a lock from elsewhere that is still the present state is fetched, not pinned anew', async () => {
    await (await rig.project.open()).resolve(trixie)
    const before = lockText()
    await forgetCache()
    expect(
      await obtainLocked(await rig.project.open({ frozen: true }), [trixie], rig.project.context),
    ).toEqual([])
    expect(lockText()).toBe(before)
  })

  test('--frozen refuses what would be pinned anew', async () => {
    await (await rig.project.open()).resolve(trixie)
    const before = lockText()
    await forgetCache()
    rig.project.serve(october)
    const lock = await rig.project.open({ frozen: true })
    await expect(obtainLocked(lock, [trixie], rig.project.context)).rejects.toMatchObject({
      code: 'LOCK_FROZEN',
      message:
        'the locked state of trixie is gone: no InRelease file of 2026-09-12T07:55:41Z in the cache or on the mirror',
      fields: {
        path: 'imgfile.lock',
        hint: 'run `img update` and commit imgfile.lock, or set IMG_MIRROR to a mirror that still has this state',
      },
    })
    expect(lockText()).toBe(before)
  })

  test('a mirror in the middle of an update is not pinned', async () => {
    await (await rig.project.open()).resolve(trixie)
    const before = lockText()
    rig.project.serve(october)
    rig.project.mirror.files.delete(byHash(october))
    rig.project.mirror.files.delete(`/debian/dists/trixie/${list}`)
    await expect(obtainLocked(await rig.project.open(), [trixie], rig.project.context)).rejects.toMatchObject(
      {
        code: 'MIRROR_UNREACHABLE',
        message: `the mirror's state of trixie is incomplete: ${list} answered 404`,
        fields: {
          hint: 'it may be in the middle of an update: try again in some minutes, or set IMG_MIRROR to another mirror',
        },
      },
    )
    expect(lockText()).toBe(before)
  })

  test('a mirror that is down leaves the lock alone', async () => {
    await (await rig.project.open()).resolve(trixie)
    const before = lockText()
    await rig.project.mirror.down()
    const { port } = new URL(rig.project.mirror.url)
    await expect(obtainLocked(await rig.project.open(), [trixie], rig.project.context)).rejects.toMatchObject(
      {
        code: 'MIRROR_UNREACHABLE',
        message: `cannot read dists/trixie/${list} from the mirror: connect ECONNREFUSED 127.0.0.1:${port}`,
        fields: {
          hint: 'check the network and http_proxy, or set IMG_MIRROR to a mirror this machine can reach',
        },
      },
    )
    expect(lockText()).toBe(before)
  })

  test('a damaged list in the cache is fetched again', async () => {
    const lock = await rig.project.open()
    await lock.resolve(trixie)
    await obtainLocked(lock, [trixie], rig.project.context)
    const digest = Object.values(lock.pins()[0]?.indexes ?? {})[0] ?? ''
    const path = (await (await lock.archives()).content.find(digest)) ?? ''
    const good = readFileSync(path)
    await rm(path)
    expect(await obtainLocked(await rig.project.open(), [trixie], rig.project.context)).toEqual([])
    expect(readFileSync(path)).toEqual(good)
  })

  test('a component used later adds its lists to the pinned state', async () => {
    const lock = await rig.project.open()
    await lock.resolve({ ...trixie, components: [] })
    expect(lock.pins()[0]?.indexes).toEqual({})
    await obtainLocked(lock, [trixie], rig.project.context)
    expect(Object.keys(lock.pins()[0]?.indexes ?? {})).toEqual([list])
    await expect(
      obtainLocked(lock, [{ ...trixie, components: ['mian'] }], rig.project.context),
    ).rejects.toMatchObject({ code: 'INPUT_INVALID', message: 'trixie has no component mian' })
  })

  test('a clock before the locked state refuses to build from it', async () => {
    const lock = await rig.project.open()
    await lock.resolve(trixie)
    const context = { ...rig.project.context, now: () => 0 }
    await expect(obtainLocked(lock, [trixie], context)).rejects.toMatchObject({
      code: 'CLOCK_WRONG',
      fields: { wanted: '2026-09-12T07:55:41Z or later', found: '1970-01-01T00:00:00Z' },
    })
  })
})
