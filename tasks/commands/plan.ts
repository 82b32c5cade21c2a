import type { Plan } from '../plan/plan.ts'
import { formatBytes, formatDuration, formatTable } from '../reporters/format.ts'
import type { Command } from './command.ts'
import { withProject } from './with-project.ts'

export const plan: Command = {
  name: 'plan',
  summary: 'show what a build would do, and why',
  arguments: '[layers...]',
  options: [{ flags: '--frozen', description: 'refuse to change imgfile.lock' }],
  example: "img plan 'role:*'",
  run: (call, context) =>
    withProject(call, context, async (project) => {
      const { planBuild } = await import('../build.ts')
      const planned = await planBuild(project, call.args)
      call.print(call.json ? toJson(planned) : renderPlan(planned))
      return 0
    }),
}

/** The shape programs rely on: name, action, reason and key come first, what is not known is left out. */
function toJson({ layers }: Plan): unknown {
  return {
    layers: layers.map(({ name, action, reason, key, ...rest }) => ({ name, action, reason, key, ...rest })),
  }
}

/** Pure. `-` where nothing is known or nothing has to be done. */
export function renderPlan({ layers }: Plan): string {
  const rows = layers.map(({ name, action, reason, expectedMs, expectedBytes }) => [
    action,
    name,
    expectedMs === undefined ? '-' : formatDuration(expectedMs),
    expectedBytes === undefined ? '-' : formatBytes(expectedBytes),
    reason,
  ])
  const header = ['action', 'layer', 'time', 'size', 'reason']
  return formatTable([header, ...rows]) + renderTotal(layers)
}

function renderTotal(layers: Plan['layers']): string {
  const builds = layers.filter(({ action }) => action === 'build')
  if (builds.length === 0) return ''
  const known = builds.filter(({ expectedMs }) => expectedMs !== undefined)
  const total = known.reduce((sum, { expectedMs }) => sum + (expectedMs ?? 0), 0)
  const unknown = builds.length - known.length
  const times = [
    ...(known.length === 0 ? [] : [`${formatDuration(total)} of work`]),
    ...(unknown === 0 ? [] : [`${unknown} never built, so without a time`]),
  ]
  return `${builds.length} to build: ${times.join(', ')}\n`
}
