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

/** Pure. What a build would do and why; else why the newest one was done. */
export function renderExplanation(
  { name, action, reason, changes, previous }: Explanation,
  now: number,
): string {
  const age = previous === undefined ? '' : formatDuration(Math.max(0, now - previous.started))
  if (changes.length > 0) {
    const than =
      previous === undefined ? '' : `, compared with ${previous.key.slice(0, 12)}, built ${age} ago`
    return listed(`${name}: ${action}${than}`, changes)
  }
  const lines = `${name}: ${action}, ${reason}\n`
  if (previous === undefined || previous.because.length === 0) return lines
  return `${lines}${listed(`${previous.key.slice(0, 12)} was built ${age} ago`, previous.because)}`
}

const listed = (title: string, changes: readonly string[]): string =>
  `${title}, because\n${changes.map((change) => `  ${change}\n`).join('')}`
