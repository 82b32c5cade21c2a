// What apt itself makes of the recording proxy: a folder of its own as its whole world, no package installed.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { startMirror, type Mirror } from '../../../cache/mirror/mirror.ts'
import { debianArchitecture } from '../../../tasks/run/apt-indexes.ts'
import { openLock } from '../../../tasks/run/lockfile.ts'
import { runProgram, type ProgramResult } from '../../../tasks/run/process.ts'
import { october, openArchiveProject, trixie, useArchiveProject } from '../../rig/archive-project.ts'
import { hasGpg, packageFile, type Signer } from '../../rig/fake-archive.ts'

describe.runIf(hasGpg)('apt through the mirror', () => {
  const rig = useArchiveProject()
  let mirror: Mirror
  let folder: string
  beforeEach(async () => {
    folder = join(rig.project.context.root, 'apt')
    mirror = await rig.startMirror()
  })

  async function apt(...command: readonly string[]): Promise<ProgramResult> {
    const { sources, config, keyring } = mirror.access(trixie)
    for (const part of [
      'state/lists/partial',
      'cache/archives/partial',
      'etc/apt.conf.d',
      'log',
      'download',
    ]) {
      mkdirSync(join(folder, part), { recursive: true })
    }
    const lines = sources.map((line) => line.replace('/run/img/apt/keyring.gpg', keyring))
    writeFileSync(join(folder, 'etc/sources.list'), lines.join('\n'))
    writeFileSync(join(folder, 'status'), '')
    const world = {
      Dir: folder,
      'Dir::Etc': join(folder, 'etc'),
      'Dir::State': join(folder, 'state'),
      'Dir::State::status': join(folder, 'status'),
      'Dir::Cache': join(folder, 'cache'),
      'APT::Sandbox::User': 'root',
      'APT::Architecture': debianArchitecture(),
    }
    const options = Object.entries(world).map(([name, value]) => `${name} "${value}";`)
    writeFileSync(join(folder, 'apt.conf'), [...options, ...config].join('\n'))
    return await runProgram(['apt-get', ...command], {
      cwd: join(folder, 'download'),
      env: { APT_CONFIG: join(folder, 'apt.conf'), LC_ALL: 'C.UTF-8' },
    })
  }

  test('update and download, then again without the mirror behind it', async () => {
    expect(await apt('update')).toMatchObject({ exitCode: 0, stderr: '' })
    expect(await apt('download', 'hello', 'world')).toMatchObject({ exitCode: 0 })
    const name = packageFile('hello_1.0').split('/').at(-1) ?? ''
    expect(readFileSync(join(folder, 'download', name), 'utf8')).toBe('hello, one')
    const before = mirror.stats().downloaded
    await rig.project.mirror.down()
    expect(await apt('clean')).toMatchObject({ exitCode: 0 })
    expect(await apt('update')).toMatchObject({ exitCode: 0, stderr: '' })
    expect(mirror.stats().downloaded).toEqual(before)
  })

  test('the state stays the locked one while the mirror moves on', async () => {
    rig.project.serve(october)
    await apt('update')
    const { stdout } = await apt('install', '--print-uris', '--yes', 'hello')
    expect(stdout).toContain('/hello_1.0_')
  })

  test('why a package could not be had stands in what apt says', async () => {
    await apt('update')
    rig.project.mirror.files.delete(`/debian/${packageFile('hello_1.0')}`)
    const failed = await apt('download', 'hello')
    expect(failed.exitCode).toBe(100)
    expect(failed.stderr).toContain(`502  the mirror's ${packageFile('hello_1.0')}: answered 404`)
  })

  test('a list that cannot be had fails the update', async () => {
    const [pin] = (await rig.project.open()).pins()
    const { content } = await (await rig.project.open()).archives()
    for (const digest of Object.values(pin?.indexes ?? {}))
      writeFileSync((await content.find(digest)) ?? '', 'damaged')
    await rig.project.mirror.down()
    await mirror.close()
    const restarted = await startMirror(await rig.project.open(), rig.project.context)
    onTestFinished(() => restarted.close())
    mirror = restarted
    const failed = await apt('update')
    expect(failed.exitCode).toBe(100)
    expect(failed.stderr).toContain("502  the mirror's dists/trixie/main/binary-")
  })
})

const olderKeyring = '/usr/share/keyrings/debian-archive-bookworm-automatic.gpg'

describe.runIf(existsSync(olderKeyring))('the real archive', () => {
  test('a keyring older than the newest signing key is enough', async () => {
    const project = await openArchiveProject({ keyring: '', armoured: '' } as Signer)
    const env = { IMG_KEYRING: olderKeyring }
    const lock = await openLock({ ...project.context, env, now: () => Date.now() }, { frozen: false })
    expect((await lock.resolve(trixie)).files).toEqual([
      { path: 'apt/trixie/InRelease', digest: expect.stringMatching(/^[0-9a-f]{64}$/) },
    ])
    await project.close()
  })
})
