// A machine `vagrant up` makes of our box, with libvirt and emulated: what Vagrant's users do first.

import { execFile, execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findProgram } from '../../../tasks/run/find-program.ts'
import { startLibvirtd } from '../../rig/libvirtd.ts'
import { canRun, openBuildProject, type BuildProject } from '../../system/build/project.ts'

const hour = 60 * 60_000

/** The plugin keeps every version's disk in libvirt's pool and asks for no other of the same number. */
const version = `1.0.${process.pid}`
const volume = `example-VAGRANTSLASH-small_vagrant_box_image_${version}_box.img`

const target = `targets.vagrant(install, {
  box: 'example/small', version: '${version}', providers: ['libvirt'], url: 'file:///boxes',
})`

/** qemu64 without cx16, since the emulator's is one newer kernels do not survive. */
const vagrantfile = (boxes: string): string => `Vagrant.configure('2') do |config|
  config.vm.box = 'example/small'
  config.vm.box_url = 'file://${boxes}/catalog.json'
  config.vm.boot_timeout = 1800
  config.vm.provider :libvirt do |libvirt|
    libvirt.driver = 'qemu'
    libvirt.cpu_mode = 'custom'
    libvirt.cpu_model = 'qemu64'
    libvirt.cpu_feature name: 'cx16', policy: 'disable'
    libvirt.memory = 1024
  end
end
`

const look = `systemctl list-units --failed --plain --no-legend
ls /vagrant
sudo id --user
findmnt --noheadings --output SIZE --bytes /`

describe.runIf(canRun && ['vagrant', 'libvirtd', 'virtlogd', 'virsh'].every((name) => findProgram(name)))(
  'a machine of a box',
  () => {
    let project: BuildProject
    let stop: (() => Promise<void>) | undefined
    const home = (): string => join(project.root, 'home')

    const vagrant = async (...args: readonly string[]): Promise<string> => {
      const env = {
        PATH: process.env['PATH'],
        HOME: home(),
        VAGRANT_HOME: join(home(), '.vagrant.d'),
        VAGRANT_CWD: home(),
      }
      const options = { env, encoding: 'utf8', cwd: home(), maxBuffer: 2 ** 26 } as const
      return (await promisify(execFile)('vagrant', args, options)).stdout
    }

    beforeAll(async () => {
      project = openBuildProject('', {}, target)
      const boxes = join(project.root, 'boxes')
      const imgfile = readFileSync(join(project.root, 'imgfile.ts'), 'utf8')
      project.write({ 'imgfile.ts': imgfile.replace('/boxes', boxes) })
      mkdirSync(boxes)
      mkdirSync(home())
      writeFileSync(join(home(), 'Vagrantfile'), vagrantfile(boxes))
      const { status, stderr } = await project.img([
        'publish',
        '--yes',
        'vagrant:install-small',
        '--to',
        boxes,
      ])
      if (status !== 0) throw new Error(stderr)
      stop = await startLibvirtd()
    }, hour)
    afterAll(async () => {
      try {
        await vagrant('destroy', '--force')
        execFileSync('virsh', ['--connect', 'qemu:///system', 'vol-delete', '--pool', 'default', volume])
      } finally {
        await stop?.()
        project.close()
      }
    }, hour)

    test('comes up, can be entered, and nothing of it failed', { timeout: hour }, async () => {
      await vagrant('up', '--provider', 'libvirt')
      const [folder, id, size, ...more] = (await vagrant('ssh', '--command', look)).trim().split(/\s+/)
      expect({ folder, id, more }).toEqual({ folder: 'Vagrantfile', id: '0', more: [] })
      expect(Number(size)).toBeGreaterThan(1.5 * 2 ** 30)
    })
  },
)
