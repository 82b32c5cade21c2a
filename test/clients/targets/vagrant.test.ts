// vagrant follows our catalog from version to version, for both of its providers.

import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findProgram } from '../../../tasks/run/find-program.ts'
import { freePort, startServer } from '../../rig/server.ts'
import { expectVirtualBox } from '../../rig/virtualbox-box.ts'
import { canRun, openBuildProject, type BuildProject } from '../../system/build/project.ts'

const hour = 60 * 60_000

const targets = (url: string): string =>
  `targets.vagrant(install, { box: 'example/small', version: '0.0.0', url: '${url}' })`

describe.runIf(canRun && findProgram('vagrant') !== undefined)('a box', () => {
  let project: BuildProject
  let stop: (() => Promise<void>) | undefined
  let url: string
  const boxes = (): string => join(project.root, 'boxes')
  const home = (): string => join(project.root, 'home')

  beforeAll(async () => {
    const port = await freePort()
    url = `http://127.0.0.1:${port}`
    project = openBuildProject('', {}, targets(url))
    mkdirSync(boxes())
    // One that says what is JSON: by that vagrant tells a catalog from a box.
    const argv = ['python3', '-m', 'http.server', String(port), '--bind', '127.0.0.1']
    stop = await startServer([...argv, '--directory', boxes()], { port })
  }, hour)
  afterAll(async () => {
    await stop?.()
    project.close()
  })

  const publish = async (version: string): Promise<void> => {
    const imgfile = readFileSync(join(project.root, 'imgfile.ts'), 'utf8')
    project.write({ 'imgfile.ts': imgfile.replace(/version: '[^']*'/, `version: '${version}'`) })
    const argv = ['publish', '--yes', 'vagrant:install-small', '--to', boxes()]
    const { status, stderr } = await project.img(argv)
    expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' })
  }

  const vagrant = async (...args: readonly string[]): Promise<string> => {
    const cwd = home()
    mkdirSync(cwd, { recursive: true })
    const env = {
      PATH: process.env['PATH'],
      HOME: cwd,
      VAGRANT_HOME: join(cwd, '.vagrant.d'),
      VAGRANT_CWD: cwd,
    }
    const argv = [...args, '--machine-readable']
    return (await promisify(execFile)('vagrant', argv, { env, encoding: 'utf8', cwd })).stdout
  }

  test('is added, found outdated and updated', { timeout: hour }, async () => {
    await publish('1.0.9')
    for (const provider of ['virtualbox', 'libvirt'])
      await vagrant('box', 'add', `${url}/catalog.json`, '--provider', provider)
    const versions = async (): Promise<readonly string[]> =>
      [...(await vagrant('box', 'list')).matchAll(/,box-version,(\S+)/g)].map(([, version]) => version!)
    expect(await versions()).toEqual(['1.0.9', '1.0.9'])
    expect(await vagrant('box', 'outdated', '--global')).toContain('1.0.9')
    expectVirtualBox(join(home(), '.vagrant.d/boxes/example-VAGRANTSLASH-small/1.0.9/virtualbox'))

    await publish('1.0.10')
    expect(await vagrant('box', 'outdated', '--global')).toContain(
      'is outdated! Current: 1.0.9. Latest: 1.0.10',
    )
    for (const provider of ['virtualbox', 'libvirt']) {
      await vagrant('box', 'update', '--box', 'example/small', '--provider', provider)
    }
    expect((await versions()).toSorted()).toEqual(['1.0.10', '1.0.10', '1.0.9', '1.0.9'])
  })
})
