import { formatDuration } from '../reporters/format.ts'
import type { Explanation } from '../run/explain-layer.ts'
import type { Command } from './command.ts'
import { oneLayer } from './one-layer.ts'
import { withProject } from './with-project.ts'

export const why: Command = {
  name: 'why',
  summary: 'say which file, option, package or parent makes a layer rebuild',
  arguments: '<layer>',
  options: [],
  example: 'img why role:ceph-node',
  run: (call, context) =>
    withProject(call, context, async (project) => {
      const { explainLayer } = await import('../run/explain-layer.ts')
      const explanation = await explainLayer(project, oneLayer(project.graph, call))
      call.print(call.json ? explanation : renderExplanation(explanation, context.now()))
      return 0
    }),
}

/** Pure. */
export function renderExplanation(
  { name, action, reason, changes, previous }: Explanation,
  now: number,
): string {
  const lines = [`${name}: ${action}, ${reason}`, ...changes.map((change) => `  ${change}`)]
  if (previous !== undefined) {
    const age = formatDuration(Math.max(0, now - previous.started))
    lines.push(`compared with ${previous.key.slice(0, 12)}, built ${age} ago`)
  }
  return `${lines.join('\n')}\n`
}
