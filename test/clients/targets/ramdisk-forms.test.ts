// The forms of a ramdisk beside the usual one, each by a firmware that has only a network card: everything in the
// initramfs, and one program for UEFI.

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { networkHost } from '../../../tasks/backends/build-network.ts'
import { prepareFirmware } from '../../../tasks/backends/qemu-files.ts'
import { serveFiles, type FileServer } from '../../../tasks/backends/serve-files.ts'
import { runGuest } from '../../rig/guest.ts'
import { freePort } from '../../rig/server.ts'
import { exportTarget } from '../../rig/target-files.ts'
import { tempFolder } from '../../rig/temp-folder.ts'
import { canRun, openBuildProject, type BuildProject } from '../../system/build/project.ts'

const hour = 60 * 60_000

const targets = `...['initramfs', 'uki'].map((form) =>
  targets.ramdisk(layer('role:' + form, run('mkdir /srv/' + form), { from: install }), { form }))`

const script = `
fact failed systemctl list-units --failed --plain --no-legend
fact multi-user systemctl is-active multi-user.target
fact root findmnt --noheadings --output FSTYPE /
fact disks lsblk --noheadings --nodeps --exclude 7 --output NAME
fact role ls /srv
`

describe.runIf(canRun)('a machine that is sent everything at once', () => {
  let project: BuildProject
  let server: FileServer | undefined
  let port: number

  beforeAll(async () => {
    port = await freePort()
    project = openBuildProject('', {}, targets)
    const out = join(project.root, 'out')
    for (const form of ['initramfs', 'uki']) await exportTarget(project, `ramdisk:${form}`, join(out, form))
    server = await serveFiles(out, port)
  }, hour)
  afterAll(async () => {
    await server?.close()
    project.close()
  })

  test.each([
    { form: 'initramfs', firmware: 'bios', asked: ['boot.ipxe', 'initrd.img', 'vmlinuz'] },
    { form: 'initramfs', firmware: 'uefi', asked: ['boot.ipxe', 'initrd.img', 'vmlinuz'] },
    { form: 'uki', firmware: 'uefi', asked: ['boot.ipxe', 'ramdisk.efi'] },
  ] as const)('boots $form by $firmware', { timeout: hour }, async ({ form, firmware, asked }) => {
    const before = server!.asked.length
    const bootFile = `http://${networkHost}:${port}/${form}/boot.ipxe`
    const facts = await runGuest(
      {
        firmware: await prepareFirmware(firmware, tempFolder()),
        network: { outside: true, forwards: [], bootFile },
        memory: 3072,
      },
      script,
    )
    expect(facts).toMatchObject({
      failed: '',
      'multi-user': 'active',
      root: 'overlay',
      disks: '',
      role: form,
    })
    expect(server!.asked.slice(before).toSorted()).toEqual(asked.map((name) => `${form}/${name}`))
  })

  test('has no images beside the program that carries them', () => {
    const names = readdirSync(join(project.root, 'out/uki'))
    expect(names.toSorted()).toEqual(['SHA256SUMS', 'boot.ipxe', 'ramdisk.efi'])
  })
})
