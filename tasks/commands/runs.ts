import { formatDuration, formatTable } from '../reporters/format.ts'
import { readRuns, type RunRecord } from '../run/run-record.ts'
import type { Command } from './command.ts'

export const runs: Command = {
  name: 'runs',
  summary: 'list the builds of this machine that did something',
  arguments: '',
  options: [],
  example: 'img runs',
  run: (call, context) => {
    const all = readRuns(context.cacheDir)
    call.print(call.json ? { runs: all } : renderRuns(all, context.now(), call.columns))
    return Promise.resolve(0)
  },
}

/** Pure. Newest first. */
export function renderRuns(all: readonly RunRecord[], now: number, columns?: number): string {
  if (all.length === 0) return 'no run yet: `img build` makes the first\n'
  const rows = all.map(({ id, status, ms, started, layers }) => [
    id,
    status,
    formatDuration(ms),
    `${formatDuration(Math.max(0, now - started))} ago`,
    layers.map(({ name, status: became }) => `${name} ${became}`).join(', ') || 'nothing was built',
  ])
  return formatTable([['run', 'status', 'took', 'when', 'layers'], ...rows], columns)
}
