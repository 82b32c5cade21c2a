import { readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { obtainLocked } from '../../../tasks/run/apt-pin.ts'
import { refreshLock, type SuiteChange } from '../../../tasks/run/apt-refresh.ts'
import {
  october,
  openArchiveProject,
  september,
  trixie,
  type ArchiveProject,
} from '../../rig/archive-project.ts'
import { hasGpg, makeSigner, type Signer } from '../../rig/fake-archive.ts'

describe.runIf(hasGpg)('refreshLock', () => {
  let signer: Signer
  let project: ArchiveProject
  beforeAll(() => {
    signer = makeSigner()
  })
  afterAll(() => signer.remove())
  beforeEach(async () => {
    project = await openArchiveProject(signer)
    project.serve(september)
    const lock = await project.open()
    await lock.resolve(trixie)
    await obtainLocked(lock, [trixie], project.context)
  })
  afterEach(() => project.close())

  const lockText = (): string => readFileSync(project.lockPath, 'utf8')
  const refresh = async (dryRun = false): ReturnType<typeof refreshLock> =>
    await refreshLock(await project.open(), { dryRun }, project.context)
  const packages = [
    { suite: 'trixie', name: 'hello', from: '1.0', to: '1.1' },
    { suite: 'trixie', name: 'moon', to: '1.0' },
    { suite: 'trixie', name: 'world', from: '2.0+b1' },
  ]

  test('a newer state: written, with the packages that differ', async () => {
    project.serve(october)
    expect(await refresh()).toEqual({ suites: [newer], packages })
    expect(lockText()).toContain('"date": "2026-10-10T08:00:00Z"')
    const lock = await project.open({ frozen: true })
    await project.mirror.down()
    expect(await obtainLocked(lock, [trixie], project.context)).toEqual([])
  })

  test('--dry-run says the same and writes nothing', async () => {
    const before = lockText()
    project.serve(october)
    expect(await refresh(true)).toEqual({ suites: [newer], packages })
    expect(lockText()).toBe(before)
  })

  test('the same state', async () => {
    const before = lockText()
    expect(await refresh()).toEqual({
      suites: [{ ...newer, status: 'same', to: newer.from }],
      packages: [],
    })
    expect(lockText()).toBe(before)
  })

  test('an older state is not taken', async () => {
    project.serve(october)
    await refresh()
    const before = lockText()
    project.serve(september)
    expect((await refresh()).suites).toEqual([{ ...newer, status: 'older', from: newer.to, to: newer.from }])
    expect(lockText()).toBe(before)
    expect(project.events.at(-1)).toEqual({
      event: 'warning',
      text:
        "the mirror's state of trixie (2026-09-12T07:55:41Z) is older than the locked one (2026-10-10T08:00:00Z); " +
        'kept the lock',
      hint: 'set IMG_MIRROR to a mirror that is up to date',
    })
  })

  test('without the old lists the packages are not compared', async () => {
    await rm(project.context.cacheDir, { recursive: true })
    project.serve(october)
    expect(await refresh()).toEqual({ suites: [{ ...newer, compared: false }], packages: [] })
  })

  test('a mirror that is down leaves the lock alone', async () => {
    const before = lockText()
    await rm(project.context.cacheDir, { recursive: true })
    await project.mirror.down()
    await expect(refresh()).rejects.toMatchObject({ code: 'MIRROR_UNREACHABLE' })
    expect(lockText()).toBe(before)
  })
})

const newer: SuiteChange = {
  archive: 'debian',
  suite: 'trixie',
  status: 'newer',
  from: '2026-09-12T07:55:41Z',
  to: '2026-10-10T08:00:00Z',
  compared: true,
}
