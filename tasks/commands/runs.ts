import { formatDuration, formatTable } from '../reporters/format.ts'
import { readRuns, type RunRecord } from '../run/run-record.ts'
import type { Command } from './command.ts'

export const runs: Command = {
  name: 'runs',
  summary: 'list the builds of this project that did something',
  arguments: '',
  options: [{ flags: '--all', description: 'also those of other projects and clones' }],
  example: 'img runs',
  run: (call, context) => {
    const isAll = call.options['all'] === true
    const found = readRuns(context, isAll ? 'all' : 'own')
    const others = isAll || found.length > 0 ? 0 : readRuns(context, 'all').length
    call.print(call.json ? { runs: found } : renderRuns(found, { ...call, now: context.now(), others }))
    return Promise.resolve(0)
  },
}

/** Pure. Newest first; `others` counts the runs of other folders where this one has none. */
export function renderRuns(
  all: readonly RunRecord[],
  { now, columns, others }: { readonly now: number; readonly columns?: number; readonly others: number },
): string {
  if (all.length === 0) {
    const elsewhere = others === 0 ? '' : `; \`img runs --all\` lists ${others} of other folders`
    return `no run yet: \`img build\` makes the first${elsewhere}\n`
  }
  const rows = all.map(({ id, status, ms, started, layers }) => [
    id,
    status,
    formatDuration(ms),
    `${formatDuration(Math.max(0, now - started))} ago`,
    layers.map(({ name, status: became }) => `${name} ${became}`).join(', ') || 'nothing was built',
  ])
  return formatTable([['run', 'status', 'took', 'when', 'layers'], ...rows], columns)
}
