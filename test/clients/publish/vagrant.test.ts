// Debian's vagrant follows a published catalog from version to version.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { makePublish } from '../../../tasks/commands/publish.ts'
import { findProgram } from '../../../tasks/run/find-program.ts'
import { makeBoxes } from '../../rig/box.ts'
import { fakeCall } from '../../rig/layer-disks.ts'
import { testContext } from '../../rig/run-context.ts'
import { contentOf } from '../../rig/target-content.ts'
import { tempFolder } from '../../rig/temp-folder.ts'

test.runIf(['vagrant', 'qemu-img'].every((client) => findProgram(client) !== undefined))(
  'a box is added, found outdated and updated',
  async () => {
    const folder = tempFolder()
    const [dir, home] = [join(folder, 'boxes'), join(folder, 'home')]
    mkdirSync(home)
    const publish = async (version: string): Promise<void> => {
      const disk = join(folder, `${version}.qcow2`)
      execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', disk, '1G'])
      execFileSync('qemu-io', ['-c', `write -P ${version.length} 0 1M`, disk], { stdio: 'ignore' })
      const boxes = await makeBoxes(readFileSync(disk), { version, url: `file://${dir}` })
      const call = fakeCall({ args: ['vagrant:web'], options: { to: dir } })
      await makePublish(contentOf(() => boxes)).run(call, testContext())
    }
    const vagrant = (...args: readonly string[]): string => {
      const env = { PATH: process.env['PATH'], HOME: home, VAGRANT_HOME: join(home, 'd'), VAGRANT_CWD: home }
      return execFileSync('vagrant', [...args, '--machine-readable'], { env, encoding: 'utf8', cwd: home })
    }
    const versions = (): readonly string[] =>
      [...vagrant('box', 'list').matchAll(/,box-version,(\S+)/g)].map(([, version]) => version!).toSorted()

    await publish('1.0.9')
    for (const provider of ['virtualbox', 'libvirt'])
      vagrant('box', 'add', `file://${dir}/catalog.json`, '--provider', provider)
    expect(versions()).toEqual(['1.0.9', '1.0.9'])
    expect(vagrant('box', 'outdated', '--global')).toContain('is up to date')

    await publish('1.0.10')
    expect(vagrant('box', 'outdated', '--global')).toContain('is outdated! Current: 1.0.9. Latest: 1.0.10')
    for (const provider of ['virtualbox', 'libvirt'])
      vagrant('box', 'update', '--box', 'example/web', '--provider', provider)
    expect(versions()).toEqual(['1.0.10', '1.0.10', '1.0.9', '1.0.9'])
    const added = join(home, 'd/boxes/example-VAGRANTSLASH-web/1.0.10')
    expect(['libvirt/box.img', 'virtualbox/box.ovf'].map((file) => existsSync(join(added, file)))).toEqual([
      true,
      true,
    ])
  },
)
