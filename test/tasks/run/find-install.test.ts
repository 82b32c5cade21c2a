import { createHash } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { findInstall } from '../../../tasks/run/find-install.ts'
import { fakeProject } from '../../rig/fake-project.ts'
import { installerContext, installerLayers } from '../../rig/installer-project.ts'

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

test("the installer at the bottom of a layer's chain, with nothing built", async () => {
  const project = await fakeProject(installerContext(), installerLayers())
  const found = await findInstall(project, 'role:web')
  expect(found?.layer).toBe('install:di')
  expect(found?.step).toMatchObject({ do: 'install', input: '0.medium', size: 1024 ** 3, firmware: 'bios' })
  expect(found?.step.answers.text).toContain('d-i time/zone string Etc/UTC\n')
  expect(found?.medium).toEqual([
    { path: 'di/linux di/initrd.gz initrd', digest: sha256('an initrd') },
    { path: 'di/linux di/initrd.gz kernel', digest: sha256('a kernel') },
  ])
  expect(await findInstall(project, 'install:di')).toEqual(found)
})

test('a chain that begins in another way', async () => {
  const project = await fakeProject(installerContext(), installerLayers())
  expect(await findInstall(project, 'install:plain')).toBeUndefined()
})

test('an installer that is not there is an error, not another way to begin', async () => {
  const context = installerContext()
  rmSync(join(context.root, 'di'), { recursive: true })
  const project = await fakeProject(context, installerLayers())
  await expect(findInstall(project, 'role:web')).rejects.toMatchObject({
    code: 'INPUT_MISSING',
    message: "cannot read the installer's file di/linux",
  })
})
