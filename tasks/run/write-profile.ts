// The file `--profile` names: a trace of the run, empty when there was nothing to do.

import { writeFileSync } from 'node:fs'
import type { RunContext } from '../context.ts'
import { toChromeTrace } from './chrome-trace.ts'
import type { RunRecord } from './run-record.ts'

export function writeProfile(path: string, run: RunRecord | undefined, context: RunContext): void {
  const trace = run === undefined ? { displayTimeUnit: 'ms', traceEvents: [] } : toChromeTrace(run)
  writeFileSync(path, `${JSON.stringify(trace)}\n`)
  const text =
    run === undefined ? 'nothing had to be built, so the profile is empty' : `profile of ${run.id} written`
  context.emit({ event: 'note', text })
}
