import type { LayerRecord } from '../../cache/store.ts'
import { ImgError } from '../errors.ts'
import { escapeControls } from '../reporters/escape.ts'
import { formatBytes, formatDuration, formatTable } from '../reporters/format.ts'
import type { RunContext } from '../context.ts'
import type { Comparison } from '../run/comparisons.ts'
import type { RunRecord } from '../run/run-record.ts'
import type { Call, Command } from './command.ts'
import { oneLayer } from './one-layer.ts'
import { withProject } from './with-project.ts'

export const show: Command = {
  name: 'show',
  summary: "print a layer's record, or what a run did",
  arguments: '<layer-or-run>',
  options: [],
  example: 'img show role:ceph-node --json',
  run: (call, context) => {
    const [named = ''] = call.args
    if (isRunName(named)) return showRun(named, call, context)
    return withProject(call, context, async (project) => {
      const name = oneLayer(project.graph, call)
      const { latestBuild, warnElsewhere } = await import('../run/latest-build.ts')
      const latest = await latestBuild(project.store, name)
      if (latest === undefined) {
        throw new ImgError('RECORD_MISSING', `${name} was never built here`, {
          hint: `run \`img build ${name}\``,
          layer: name,
        })
      }
      const { elsewhere: _, ...record } = latest
      warnElsewhere(latest, context.emit)
      const { readComparisons } = await import('../run/comparisons.ts')
      const comparisons = await readComparisons(project.store, record.key)
      call.print(call.json ? { ...record, comparisons } : renderRecord(record, comparisons))
      return 0
    })
  },
}

/** No layer's name begins like a time. */
const isRunName = (name: string): boolean => /^\d+(?:T|$)/.test(name)

/** A run by its name, or by enough of its beginning. */
async function showRun(name: string, call: Call, context: RunContext): Promise<number> {
  const { readRuns } = await import('../run/run-record.ts')
  const found = readRuns(context, 'all').filter(({ id }) => id.startsWith(name))
  const [run, second] = found
  if (run === undefined || second !== undefined) {
    const message = run === undefined ? `there is no run ${name}` : `${found.length} runs begin with ${name}`
    throw new ImgError('RECORD_MISSING', message, { hint: '`img runs` lists them', found: name })
  }
  call.print(call.json ? run : renderRun(run, call.columns))
  return 0
}

/** Pure. */
export function renderRun(run: RunRecord, columns?: number): string {
  const head = `${run.id} ${run.status}, ${formatDuration(run.ms)}: ${run.wanted.join(' ')}\n`
  const rows = run.layers.flatMap(({ name, status, ms, reason, steps }) => [
    [name, status, formatDuration(ms), firstLine(reason ?? '')],
    ...steps.map((step) => ['', '', formatDuration(step.ms), firstLine(step.label)]),
  ])
  return `${head}${formatTable(rows, columns)}`
}

/** Of what a guest may have said, or a script may be. */
const firstLine = (text: string): string => escapeControls(text.split('\n')[0] ?? '')

/** Pure. The newest build; what it was made of is in --json. */
export function renderRecord(record: LayerRecord, comparisons: readonly Comparison[] = []): string {
  const rows: string[][] = [
    ['layer', record.layer],
    ['key', record.key],
    ['tree digest', record.treeDigest],
    ['started', new Date(record.started).toISOString()],
    ['backend', record.backend],
  ]
  for (const [name, { size, dataBytes, diskDigest }] of Object.entries(record.artifact)) {
    rows.push([name, `${formatBytes(size)}, ${formatBytes(dataBytes)} in use, ${diskDigest.slice(0, 12)}`])
  }
  for (const [name, parent] of Object.entries(record.parents)) {
    rows.push(['stands on', `${name} ${parent.treeDigest.slice(0, 12)}`])
  }
  for (const [name, input] of Object.entries(record.inputs)) {
    const count = input.files.length
    const files = count === 0 ? '' : `, ${count} ${count === 1 ? 'file' : 'files'}`
    rows.push(['input', `${name}: ${input.kind} ${input.digest.slice(0, 12)}${files}`])
  }
  for (const [name, version] of Object.entries(record.tools)) rows.push(['tool', `${name} ${version}`])
  for (const [phase, ms] of Object.entries(record.durations))
    rows.push(['took', `${formatDuration(ms)} ${phase}`])
  for (const comparison of comparisons) rows.push(['compared', renderComparison(comparison)])
  return escapeControls(formatTable(rows))
}

function renderComparison({ with: other, when, equal, differing, reviewed }: Comparison): string {
  const found = equal
    ? `the same${reviewed === 0 ? '' : ` but for ${reviewed} reviewed ${paths(reviewed)}`}`
    : differing === 0
      ? 'the disks differ'
      : `${differing} ${paths(differing)} ${differing === 1 ? 'differs' : 'differ'}`
  return `with ${other.layer} ${other.key.slice(0, 12)}: ${found}, ${new Date(when).toISOString()}`
}

const paths = (count: number): string => (count === 1 ? 'path' : 'paths')
