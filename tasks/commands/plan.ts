import { checkTools } from '../plan/check-tools.ts'
import { estimate, type Estimate } from '../plan/estimate.ts'
import type { Plan } from '../plan/plan.ts'
import { escapeControls } from '../reporters/escape.ts'
import { fitLines } from '../reporters/fit-lines.ts'
import { formatBytes, formatDuration, formatTable } from '../reporters/format.ts'
import type { Command } from './command.ts'
import { withProject } from './with-project.ts'

export const plan: Command = {
  name: 'plan',
  summary: 'show what a build would do, and why',
  arguments: '[layers...]',
  options: [
    { flags: '--frozen', description: 'refuse to change imgfile.lock' },
    { flags: '--no-remote', description: 'ask no shared cache' },
  ],
  example: "img plan 'role:*'",
  run: (call, context) =>
    withProject(call, context, async (project) => {
      const { planBuild } = await import('../build.ts')
      const { graph } = project
      const planned = await planBuild(project, call.args, (decisions) =>
        checkTools(graph, decisions.values()),
      )
      const expected = estimate(project.graph, planned)
      call.print(call.json ? toJson(planned, expected) : renderPlan(planned, expected, call.columns))
      return 0
    }),
}

/** The shape programs rely on: name, action, reason and key come first, what is not known is left out. */
function toJson({ layers }: Plan, expected: Estimate): unknown {
  return {
    estimate: expected,
    layers: layers.map(({ name, action, reason, key, ...rest }) => ({ name, action, reason, key, ...rest })),
  }
}

/** Pure. `-` where nothing is known or nothing has to be done; a column that says nothing at all is left out. */
export function renderPlan({ layers }: Plan, expected: Estimate, columns?: number): string {
  const rows = layers.map(({ name, action, reason, expectedMs, expectedBytes }) => [
    action,
    name,
    expectedMs === undefined ? '-' : formatDuration(expectedMs),
    expectedBytes === undefined ? '-' : formatBytes(expectedBytes),
    reason,
  ])
  const header = ['action', 'layer', 'time', 'size', 'reason']
  const says = header.map((_title, column) => rows.some((row) => row[column] !== '-'))
  const shown = [header, ...rows].map((row) => row.filter((_cell, column) => says[column]))
  return escapeControls(formatTable(shown, columns)) + fitLines(renderEstimate(expected), columns)
}

function renderEstimate(expected: Estimate): string {
  const { builds, perhaps, workMs, criticalMs, criticalPath, unknown, diskBytes, fetchBytes } = expected
  if (builds + perhaps === 0 && fetchBytes === 0) return ''
  const longest = criticalPath.length > 1 && criticalMs > 0 && criticalMs < workMs
  const parts = [
    ...(workMs === 0 ? [] : [`${formatDuration(workMs)} of work`]),
    ...(longest ? [`at least ${formatDuration(criticalMs)} (${criticalPath.join(' -> ')})`] : []),
    ...(unknown === 0 ? [] : [`${unknown} never built, so without a time`]),
    ...(fetchBytes === 0 ? [] : [`${formatBytes(fetchBytes)} to fetch`]),
    ...(diskBytes === 0 ? [] : [`up to ${formatBytes(diskBytes)} of disk`]),
  ]
  const counted = perhaps === 0 ? `${builds} to build` : `${builds} to build and perhaps ${perhaps} more`
  return `${counted}${parts.length === 0 ? '' : `: ${parts.join(', ')}`}\n`
}
