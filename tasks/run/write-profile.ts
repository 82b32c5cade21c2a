// The file `--profile` names: a trace of the run, empty when there was nothing to do.

import { statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { RunContext } from '../context.ts'
import { ImgError } from '../errors.ts'
import { toChromeTrace } from './chrome-trace.ts'
import type { RunRecord } from './run-record.ts'

/** Before the build, which may take an hour: USAGE where no file can be. */
export function checkProfile(path: string): void {
  if (isFolder(path)) {
    throw new ImgError('USAGE', `--profile takes a file, and ${path} is a folder`, {
      hint: 'img build --profile trace.json',
      found: path,
    })
  }
  if (isFolder(dirname(path))) return
  throw new ImgError('USAGE', `there is no folder ${dirname(path)} for the profile`, {
    hint: `mkdir -p ${dirname(path)}`,
    found: path,
  })
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true

export function writeProfile(path: string, run: RunRecord | undefined, context: RunContext): void {
  const trace = run === undefined ? { displayTimeUnit: 'ms', traceEvents: [] } : toChromeTrace(run)
  writeFileSync(path, `${JSON.stringify(trace)}\n`)
  const text =
    run === undefined ? 'nothing had to be built, so the profile is empty' : `profile of ${run.id} written`
  context.emit({ event: 'note', text })
}
