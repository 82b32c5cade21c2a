// `img build --dry-run`: the plan, and for each installer what it would be started with.

import { planInstaller, renderInstaller, type InstallerCommand } from '../backends/installer-dry-run.ts'
import { planBuild } from '../build.ts'
import { checkTools } from '../plan/check-tools.ts'
import { estimate } from '../plan/estimate.ts'
import { findInstall } from '../run/find-install.ts'
import type { Project } from '../run/project.ts'
import type { Call } from './command.ts'
import { renderPlan } from './plan.ts'

export async function dryRun(project: Project, call: Call): Promise<void> {
  const { graph } = project
  const planned = await planBuild(project, call.args, (decisions) => checkTools(graph, decisions.values()))
  const installers: (InstallerCommand & { readonly layer: string })[] = []
  const texts: string[] = []
  for (const layer of planned.layers.filter(({ action }) => action !== 'reuse' && action !== 'skip')) {
    const found = await findInstall(project, layer.name)
    if (found === undefined || found.layer !== layer.name) continue
    const kinds = found.medium.map(({ path }) => path.split(' ').at(-1) ?? '')
    const command = await planInstaller(found.step, kinds, project.context)
    installers.push({ layer: layer.name, ...command })
    const medium = found.medium.map(
      ({ path, digest }, place) => `medium/${kinds[place]}: ${path}, sha256 ${digest}`,
    )
    texts.push(renderInstaller(command, { layer: layer.name, size: found.step.size, medium }))
  }
  call.print(
    call.json
      ? { layers: planned.layers, installers }
      : [renderPlan(planned, estimate(project.graph, planned)), ...texts].join('\n'),
  )
}
