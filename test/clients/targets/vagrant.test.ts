// vagrant follows our catalog from version to version, for both of its providers.

import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { serveFiles, type FileServer } from '../../../tasks/backends/serve-files.ts'
import { findProgram } from '../../../tasks/run/find-program.ts'
import { freePort } from '../../rig/server.ts'
import { canRun, openBuildProject, type BuildProject } from '../../system/build/project.ts'

const hour = 60 * 60_000

const targets = (url: string): string => `
  targets.vagrant(install, { name: 'vagrant:first', box: 'example/small', version: '1.0.9', url: '${url}' }),
  targets.vagrant(install, { name: 'vagrant:next', box: 'example/small', version: '1.0.10', url: '${url}' }),
`

describe.runIf(canRun && findProgram('vagrant') !== undefined)('a box', () => {
  let project: BuildProject
  let server: FileServer | undefined
  let url: string
  const boxes = (): string => join(project.root, 'boxes')

  beforeAll(async () => {
    const port = await freePort()
    url = `http://127.0.0.1:${port}`
    project = openBuildProject('', {}, targets(url))
    mkdirSync(boxes())
    server = await serveFiles(boxes(), port)
  }, hour)
  afterAll(async () => {
    await server?.close()
    project.close()
  })

  const publish = async (name: string): Promise<void> => {
    const { status, stderr } = await project.img(['publish', '--yes', `vagrant:${name}`, '--to', boxes()])
    expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' })
  }

  const vagrant = (...args: readonly string[]): string => {
    const home = join(project.root, 'home')
    mkdirSync(home, { recursive: true })
    const env = {
      PATH: process.env['PATH'],
      HOME: home,
      VAGRANT_HOME: join(home, '.vagrant.d'),
      VAGRANT_CWD: home,
    }
    return execFileSync('vagrant', [...args, '--machine-readable'], { env, encoding: 'utf8', cwd: home })
  }

  test('is added, found outdated and updated', { timeout: hour }, async () => {
    await publish('first')
    for (const provider of ['virtualbox', 'libvirt'])
      vagrant('box', 'add', `${url}/catalog.json`, '--provider', provider)
    const versions = (): readonly string[] =>
      [...vagrant('box', 'list').matchAll(/,box-version,(\S+)/g)].map(([, version]) => version!)
    expect(versions()).toEqual(['1.0.9', '1.0.9'])
    expect(vagrant('box', 'outdated', '--global')).toContain('1.0.9')

    await publish('next')
    expect(vagrant('box', 'outdated', '--global')).toContain('is outdated! Current: 1.0.9. Latest: 1.0.10')
    for (const provider of ['virtualbox', 'libvirt']) {
      vagrant('box', 'update', '--box', 'example/small', '--provider', provider)
    }
    expect(versions().toSorted()).toEqual(['1.0.10', '1.0.10', '1.0.9', '1.0.9'])
  })
})
