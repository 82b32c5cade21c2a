import { readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { beforeEach, describe, expect, test } from 'vitest'
import { obtainLocked } from '../../../tasks/run/apt-pin.ts'
import { refreshLock, type LockDifference, type SuiteChange } from '../../../tasks/run/apt-refresh.ts'
import { october, september, trixie, useArchiveProject } from '../../rig/archive-project.ts'
import { hasGpg } from '../../rig/fake-archive.ts'

describe.runIf(hasGpg)('refreshLock', () => {
  const rig = useArchiveProject()
  beforeEach(async () => {
    const lock = await rig.project.open()
    await lock.resolve(trixie)
    await obtainLocked(lock, [trixie], rig.project.context)
  })

  const lockText = (): string => readFileSync(rig.project.lockPath, 'utf8')
  const refresh = async (dryRun = false): Promise<LockDifference> => {
    const lock = await rig.project.open()
    const { suites, packages } = await refreshLock(lock, async () => !dryRun, rig.project.context)
    return { suites, packages }
  }
  const packages = [
    { suite: 'trixie', name: 'hello', from: '1.0', to: '1.1' },
    { suite: 'trixie', name: 'moon', to: '1.0' },
    { suite: 'trixie', name: 'world', from: '2.0+b1' },
  ]

  test('a newer state: written, with the packages that differ', async () => {
    rig.project.serve(october)
    expect(await refresh()).toEqual({ suites: [newer], packages })
    expect(lockText()).toContain('"date": "2026-10-10T08:00:00Z"')
    const lock = await rig.project.open({ frozen: true })
    await rig.project.mirror.down()
    expect(await obtainLocked(lock, [trixie], rig.project.context)).toEqual([])
  })

  test('--dry-run says the same and writes nothing', async () => {
    const before = lockText()
    rig.project.serve(october)
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
    rig.project.serve(october)
    await refresh()
    const before = lockText()
    rig.project.serve(september)
    expect((await refresh()).suites).toEqual([{ ...newer, status: 'older', from: newer.to, to: newer.from }])
    expect(lockText()).toBe(before)
    expect(rig.project.events.at(-1)).toEqual({
      event: 'warning',
      text:
        "the mirror's state of trixie (2026-09-12T07:55:41Z) is older than the locked one (2026-10-10T08:00:00Z); " +
        'kept the lock',
      hint: 'set IMG_MIRROR to a mirror that is up to date',
    })
  })

  test('without the old lists the packages are not compared', async () => {
    await rm(rig.project.context.cacheDir, { recursive: true })
    rig.project.serve(october)
    expect(await refresh()).toEqual({ suites: [{ ...newer, compared: false }], packages: [] })
  })

  test('a mirror that is down leaves the lock alone', async () => {
    const before = lockText()
    await rm(rig.project.context.cacheDir, { recursive: true })
    await rig.project.mirror.down()
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
