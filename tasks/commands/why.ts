import type { LayerName } from '../plan/recipe.ts'
import { escapeControls } from '../reporters/escape.ts'
import { fitLines } from '../reporters/fit-lines.ts'
import { formatDuration } from '../reporters/format.ts'
import type { Explanation } from '../run/explain-layer.ts'
import type { Against } from '../run/find-against.ts'
import { renderCommit } from '../run/git-commit.ts'
import type { Project } from '../run/project.ts'
import type { Call, Command } from './command.ts'
import { oneLayer } from './one-layer.ts'
import { withProject } from './with-project.ts'
import { remotesOf } from './with-remotes.ts'

export const why: Command = {
  name: 'why',
  summary: 'say which file, option, package or parent makes a layer rebuild',
  arguments: '<layer>',
  options: [
    {
      flags: '--against <build>',
      description:
        'compare with this key, LAYER@previous, file of `img show LAYER --json`, or the newest of this remote (`remote`: of all)',
    },
  ],
  example: 'img why role:ceph-node --against role:ceph-node@previous',
  run: (call, context) =>
    withProject(call, context, async (project) => {
      const { explainLayer } = await import('../run/explain-layer.ts')
      const layer = oneLayer(project.graph, call)
      const explanation = await explainLayer(project, layer, await readAgainst(project, layer, call))
      call.print(
        call.json ? explanation : fitLines(renderExplanation(explanation, context.now()), call.columns),
      )
      return 0
    }),
}

async function readAgainst(project: Project, layer: LayerName, call: Call): Promise<Against | undefined> {
  const { against } = call.options
  if (typeof against !== 'string') return undefined
  const { findAgainst } = await import('../run/find-against.ts')
  return findAgainst(project, layer, { written: against, cwd: call.cwd, remotes: () => remotesOf(project) })
}

/** Pure. What a build would do and why; else why the newest one was done. */
export function renderExplanation(explanation: Explanation, now: number): string {
  return `${changesText(explanation, now)}${chainText(explanation)}${downstreamText(explanation)}`
}

function changesText({ name, action, reason, changes, previous, against }: Explanation, now: number): string {
  if (against !== undefined) {
    const { from } = against
    const age = formatDuration(Math.max(0, now - against.started))
    const whose = from && `, built ${age} ago by ${from.signer} (${from.namespace} in ${from.remote})`
    const other = `${against.layer} ${against.key.slice(0, 12)}${whose ?? ''}`
    if (changes.length === 0) return `${name}: nothing that is in the key differs from ${other}\n`
    return listed(`${name} differs from ${other}${from === undefined ? '' : ','} in:`, changes)
  }
  const age = previous === undefined ? '' : `${formatDuration(Math.max(0, now - previous.started))} ago`
  const built = previous?.elsewhere === true ? `built ${age} from another folder` : `built ${age}`
  if (changes.length > 0) {
    if (previous === undefined) return listed(`${name}: ${action}, because:`, changes)
    return listed(`${name}: ${action}; since ${previous.key.slice(0, 12)}, ${built}:`, changes)
  }
  const lines = `${name}: ${action}, ${reason}\n`
  if (previous === undefined) return lines
  const { key, because } = previous
  const last = `${lines}${built} as ${key.slice(0, 12)}`
  if (because.length === 0) return `${last}\n`
  return because.join() === 'never built'
    ? `${last}, for the first time\n`
    : listed(`${last}, because:`, because)
}

const listed = (title: string, changes: readonly string[]): string =>
  `${title}\n${changes.map((change) => `  ${escapeControls(change)}\n`).join('')}`

/** Only what says more than the changes themselves: where they were written. */
function chainText({ name, chain }: Explanation): string {
  const known = chain.filter(({ at, layer }) => at !== undefined || layer !== name)
  if (known.length === 0) return ''
  const lines = known.map(({ layer, change, at, commit }) => {
    const where = at === undefined ? '' : `\n    at ${at}`
    const who = commit === undefined ? '' : `, ${renderCommit(commit)}`
    return `  ${layer}: ${change}${where}${who}\n`
  })
  return `from\n${lines.map(escapeControls).join('')}`
}

function downstreamText({ downstream, action }: Explanation): string {
  const { layers, ms } = downstream
  if (layers.length === 0 || action === 'reuse' || action === 'skip') return ''
  const time = ms === 0 ? '' : `, ${formatDuration(ms)} of work when they were built last`
  return `if its content changes, ${layers.length} ${layers.length === 1 ? 'layer is' : 'layers are'} built again${time}: ${layers.join(', ')}\n`
}
