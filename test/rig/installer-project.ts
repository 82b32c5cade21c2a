// A project whose chain begins with an installer that lies beside its imgfile, and one that begins in another way.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { install } from '../../recipes/install.ts'
import { layer } from '../../tasks/plan/declare.ts'
import type { RunContext } from '../../tasks/context.ts'
import type { Layer } from '../../tasks/plan/recipe.ts'
import { child, fixed, toolTree, write } from './fake-project.ts'
import { testContext } from './run-context.ts'

/** `install:di` and `role:web` on it; `install:plain` has no installer. */
export function installerLayers(): readonly Layer[] {
  const tools = layer('tools:own', toolTree())
  const location = { kernel: 'di/linux', initrd: 'di/initrd.gz' }
  const installer = layer('install:di', install({ answers: 'trixie.cfg', location, disk: '1G', tools }))
  return [child('role:web', installer, fixed([write('/etc/web', 'web')])), layer('install:plain', toolTree())]
}

export function installerContext(): ReturnType<typeof testContext> {
  const env: RunContext['env'] = {
    IMG_ACCEL: 'tcg',
    IMG_INSTALL_MIRROR: 'http://mirror.example.org/debian',
  }
  const context = testContext({ env })
  mkdirSync(join(context.root, 'di'))
  writeFileSync(join(context.root, 'di/linux'), 'a kernel')
  writeFileSync(join(context.root, 'di/initrd.gz'), 'an initrd')
  writeFileSync(join(context.root, 'trixie.cfg'), readFileSync('preseed/trixie.cfg'))
  return context
}
