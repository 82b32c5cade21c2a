// `img export LAYER DIR --bare-metal`: what the layer's installation needs on a machine of one's own.

import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { RunContext } from '../context.ts'
import { ImgError } from '../errors.ts'
import { bareMetalFiles } from '../plan/bare-metal.ts'
import { findInstall } from '../run/find-install.ts'
import type { Call } from './command.ts'
import { oneLayer } from './one-layer.ts'
import { withProject } from './with-project.ts'

export const exportBareMetal = (call: Call, context: RunContext): Promise<number> =>
  withProject(call, context, async (project) => {
    const [, folder = ''] = call.args
    const layer = oneLayer(project.graph, call)
    const found = await findInstall(project, layer)
    if (found === undefined) {
      throw new ImgError(
        'USAGE',
        `${layer} does not begin with an installer, so no machine can be installed like it`,
        {
          hint: 'name a layer whose chain begins with install()',
          layer,
        },
      )
    }
    const to = resolve(call.cwd, folder)
    if (existsSync(to) && call.options['force'] !== true) {
      throw new ImgError('USAGE', `${folder} is there already`, {
        hint: 'add --force to replace its files',
        path: folder,
      })
    }
    const files = bareMetalFiles(found.step, { layer, medium: found.medium })
    try {
      mkdirSync(to, { recursive: true })
      for (const [name, content] of Object.entries(files)) writeFileSync(join(to, name), content)
      chmodSync(join(to, 'puppet-run.sh'), 0o755)
    } catch (cause) {
      throw new ImgError('PERMISSION', `cannot write to ${folder}: ${(cause as Error).message}`, {
        path: folder,
        hint: 'name a folder this user may write to',
        cause,
      })
    }
    if (call.json) call.print({ layer, folder, files: Object.keys(files) })
    else
      call.print(
        Object.keys(files)
          .map((name) => `${folder}/${name}\n`)
          .join(''),
      )
    return 0
  })
