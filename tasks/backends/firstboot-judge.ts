// Pure. Whether a first boot went well, or the error that says how it did not.

import { ImgError } from '../errors.ts'
import type { StepOf } from '../plan/step.ts'
import type { FirstbootReport } from './firstboot-script.ts'
import { adviseEnding, describeEnding, type Ending } from './qemu-ending.ts'

export interface FirstbootRun {
  readonly layer: string
  readonly step: Pick<StepOf<'firstboot'>, 'label' | 'exitCodes' | 'agent'>
  readonly ending: Ending
  /** Seconds the script had. */
  readonly limit: number
  /** Its last lines. */
  readonly console: string
  /** The last of what the script printed. */
  readonly output: string
}

/** Throws STEP_FAILED. Only a script that said how it ended, in a machine that then powered off, went well. */
export function judgeFirstboot(report: FirstbootReport, run: FirstbootRun): void {
  const { ended } = report
  if (ended === undefined) throw unfinished(report, run)
  if (report.unprepared !== undefined) {
    throw failed(run, `what ${run.step.label} needs could not be prepared (exit code ${report.unprepared})`, {
      hint: logHint(run),
      output: lastLines(run.output),
    })
  }
  // timeout(1) ends with these when it had to end what it ran.
  if ((ended.exitCode === 124 || ended.exitCode === 137) && ended.seconds >= run.limit) {
    throw failed(run, `${run.step.label} was not done within ${run.limit} s`, {
      hint: 'raise the limit of the recipe if the script is only slow, else see in its output what it waited for',
      output: lastLines(run.output),
    })
  }
  if (!run.step.exitCodes.includes(ended.exitCode)) {
    throw failed(run, exitMessage(ended.exitCode, run), {
      hint: logHint(run),
      output: lastLines(run.output),
    })
  }
  if (run.ending.kind === 'powered-off') return
  throw failed(run, `after ${run.step.label} the machine did not power off: it ${clause(run.ending)}`, {
    hint: advice(run.ending, true),
    output: run.console,
  })
}

/** The numbers of `puppet agent --detailed-exitcodes` are words of its own. */
function exitMessage(exitCode: number, { step }: FirstbootRun): string {
  const meaning = step.agent === undefined ? undefined : agentExitCodes[exitCode]
  return meaning === undefined
    ? `${step.label} failed with exit code ${exitCode}`
    : `puppet agent ended with ${exitCode}: ${meaning}`
}

const agentExitCodes: Readonly<Record<number, string>> = {
  1: 'it got no certificate or no catalog, or another run was in its way',
  4: 'some resources failed',
  6: 'some resources were changed and others failed',
  127: 'there is no puppet in the image',
}

/** The machine did not live to say how the script ended. */
function unfinished({ began, jobs }: FirstbootReport, run: FirstbootRun): ImgError {
  const { ending, step } = run
  const when = began ? `while ${step.label} ran` : `before ${step.label} began`
  const waits = began || jobs === '' ? '' : `; systemd still waits for: ${jobs}`
  return failed(run, `${when}, the machine ${clause(ending)}${waits}`, {
    hint: advice(ending, began),
    output: run.console,
  })
}

function clause(ending: Ending): string {
  if (ending.kind === 'powered-off') return 'powered off'
  if (ending.kind === 'restarted') return 'restarted'
  if (ending.kind === 'no-answer') return `came up but gave no answer for ${ending.seconds} s`
  return describeEnding(ending)
}

function advice(ending: Ending, began: boolean): string {
  if (ending.kind === 'powered-off' || ending.kind === 'restarted') {
    return 'let the script end instead: the machine is powered off when it has'
  }
  if (ending.kind === 'silent' || ending.kind === 'too-long') {
    return 'read the console above; the machine itself stood still, not only the script'
  }
  return began && ending.kind === 'problem' ? 'read the console above' : adviseEnding(ending)
}

const logHint = ({ layer }: FirstbootRun): string => `run \`img log ${layer}\` for the whole output`

const failed = (
  { layer }: FirstbootRun,
  what: string,
  fields: { readonly hint: string; readonly output: string },
): ImgError => new ImgError('STEP_FAILED', `layer ${layer}: ${what}`, { layer, ...fields })

const lastLines = (text: string): string => text.trimEnd().split('\n').slice(-20).join('\n')
