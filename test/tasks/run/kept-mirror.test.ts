import { rmSync, writeFileSync } from 'node:fs'
import { describe, expect, onTestFinished, test } from 'vitest'
import { obtainLocked } from '../../../tasks/run/apt-pin.ts'
import { keepMirror, type KeptMirror } from '../../../tasks/run/kept-mirror.ts'
import { openLock } from '../../../tasks/run/lockfile.ts'
import { trixie, useArchiveProject } from '../../rig/archive-project.ts'
import { hasGpg, packageFile, sha256 } from '../../rig/fake-archive.ts'
import { testContext } from '../../rig/run-context.ts'

async function kept(): Promise<{
  readonly of: () => ReturnType<KeptMirror['of']>
  readonly close: () => Promise<void>
  readonly path: string
}> {
  const context = testContext({ env: { IMG_MIRROR: 'http://127.0.0.1:9/debian' } })
  const lock = await openLock(context, { frozen: false })
  const mirror = keepMirror(context, { frozen: false })
  onTestFinished(() => mirror.close())
  return { of: () => mirror.of(lock), close: () => mirror.close(), path: lock.path }
}

test('one mirror as long as the lock says the same, also for who asks at the same time', async () => {
  const { of, path } = await kept()
  writeFileSync(path, '{"version":1,"apt":{}}\n')
  const [one, other] = await Promise.all([of(), of()])
  expect(other).toBe(one)
  expect(await of()).toBe(one)
  writeFileSync(path, '{"version":1,"apt":{} }\n')
  expect(await of()).not.toBe(one)
})

test('a lock nobody understands is told each time, and forgotten when it is mended', async () => {
  const { of, close, path } = await kept()
  writeFileSync(path, 'no lock')
  await expect(of()).rejects.toMatchObject({ code: 'INPUT_INVALID' })
  await expect(of()).rejects.toMatchObject({ code: 'INPUT_INVALID' })
  writeFileSync(path, '{"version":1,"apt":{}}\n')
  expect(await of()).toMatchObject({ stats: expect.any(Function) as unknown })
  writeFileSync(path, 'no lock')
  await expect(of()).rejects.toMatchObject({ code: 'INPUT_INVALID' })
  await close()
})

test('a project that pins nothing yet has no lock file', async () => {
  const { of, path } = await kept()
  rmSync(path, { force: true })
  expect(await of()).toMatchObject({ stats: expect.any(Function) as unknown })
})

describe.runIf(hasGpg)('a package the mirror has no more', () => {
  const rig = useArchiveProject()

  test('comes from the remotes of the build that asks, whichever started the mirror', async () => {
    const lock = await rig.project.open()
    await lock.resolve(trixie)
    await obtainLocked(lock, [trixie], rig.project.context)
    const hello = packageFile('hello_1.0')
    rig.project.mirror.files.delete(`/debian/${hello}`)
    const keeping = keepMirror(rig.project.context, { frozen: false })
    onTestFinished(() => keeping.close())
    const bytes = Buffer.from('hello, one')
    const without = await keeping.of({ path: lock.path, elsewhere: async () => undefined })
    const [, base = ''] = /\] (\S+) trixie main$/.exec(without.access(trixie).sources[0] ?? '') ?? []
    expect((await fetch(`${base}/${hello}`)).status).toBe(502)
    const asked: string[] = []
    const next = await keeping.of({
      path: lock.path,
      elsewhere: async (wanted) => {
        asked.push(wanted.sha256)
        return bytes
      },
    })
    expect(next).toBe(without)
    const answer = await fetch(`${base}/${hello}`)
    expect([answer.status, await answer.text()]).toEqual([200, 'hello, one'])
    expect(asked).toEqual([sha256(bytes)])
  })
})
