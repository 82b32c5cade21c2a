// Every target of a role: built once, and built again only where something changed.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { canRun, openBuildProject, type BuildProject } from '../../system/build/project.ts'

const hour = 60 * 60_000

const targets = `...((role) => [
  targets.docker(role),
  targets.openstack(role),
  targets.ramdisk(role),
  targets.template(role),
  targets.vagrant(role, { box: 'example/one', version: '1.0.0', url: 'https://boxes.example.org/one' }),
])(layer('role:one', run('touch /srv/one'), { from: install }))`

interface Planned {
  readonly name: string
  readonly action: string
}

describe.runIf(canRun)('the targets of a role', () => {
  let project: BuildProject
  beforeAll(() => {
    project = openBuildProject('', {}, targets)
  })
  afterAll(() => project.close())

  /** Layers that are not there. */
  const missing = async (): Promise<readonly string[]> => {
    const { stdout } = await project.img(['plan', '--json', '*:one'])
    const { layers } = JSON.parse(stdout) as { readonly layers: readonly Planned[] }
    return layers
      .filter(({ action }) => action !== 'reuse' && action !== 'skip')
      .map(({ name, action }) => `${name}: ${action}`)
  }

  test('are built by one pattern, and then no more', { timeout: hour }, async () => {
    expect(await project.img(['build', '--yes', '*:one'])).toMatchObject({ status: 0 })
    expect(await missing()).toEqual([])
    const { stderr } = await project.img(['build', '*:one'])
    expect(stderr).not.toContain('building')
  })

  test('follow only what changed', { timeout: hour }, async () => {
    const imgfile = join(project.root, 'imgfile.ts')
    writeFileSync(imgfile, readFileSync(imgfile, 'utf8').replace("'1.0.0'", "'1.0.1'"))
    expect(await missing()).toEqual(['vagrant:one: build'])
  })
})
