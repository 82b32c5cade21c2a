// Which code does which step of a chroot layer.

import { appendFileSync } from 'node:fs'
import type { Step, StepOf } from '../plan/step.ts'
import { enterUpdatedApt, runAptStep } from './chroot-apt.ts'
import { runBootstrapStep } from './chroot-bootstrap.ts'
import { runFileStep } from './chroot-files.ts'
import { runInImage, type Build } from './namespace-build.ts'
import { runPuppetStep } from './chroot-puppet.ts'
import { withSecrets } from './chroot-secrets.ts'
import { runSealStep } from './seal.ts'
import { labelOf } from './step-label.ts'

/** A step that works on the tree itself; a disk or an archive is made of the finished tree. */
export function runTreeStep(build: Build, step: Step): Promise<void> {
  return withSecrets(build, 'secrets' in step ? step.secrets : [], () => runStep(build, step))
}

async function runStep(build: Build, step: Step): Promise<void> {
  switch (step.do) {
    case 'bootstrap':
      return runBootstrapStep(build, step)
    case 'apt':
      return runAptStep(build, step)
    case 'run': {
      const apt = step.apt === undefined ? {} : await enterUpdatedApt(build, step.apt)
      await runInImage(build, step.argv, {
        env: { DEBIAN_FRONTEND: 'noninteractive', ...stepEnv(build), ...apt, ...step.env },
        network: step.apt !== undefined,
        ...(step.stdin === undefined ? {} : { input: step.stdin }),
        what: labelOf(step),
      })
      return undefined
    }
    case 'write':
    case 'copy':
    case 'mkdir':
    case 'link':
    case 'remove':
      return runFileStep(build, step, labelOf(step))
    case 'seal':
      return runSealStep(build)
    case 'puppet':
      return runPuppetStep(build, step)
    case 'script':
      return runScriptStep(build, step)
    default:
      throw new Error(`${step.do} is no step on the tree of an image`)
  }
}

async function runScriptStep(build: Build, step: StepOf<'script'>): Promise<void> {
  const { work, context, session, folders } = build
  const script = work.scripts?.[step.input]
  if (script === undefined) throw new Error(`no function was given for the script input ${step.input}`)
  const apt = step.apt === undefined ? {} : await enterUpdatedApt(build, step.apt)
  // zx is loaded when somebody needs it: it would cost every other build its start.
  const { runScript } = await import('../run/shell.ts')
  await runScript(script, {
    layer: work.layer,
    root: session.seenFromOutside(folders.image),
    commandLine: (argv) =>
      session.commandLine(argv, {
        root: folders.image,
        env: { DEBIAN_FRONTEND: 'noninteractive', ...stepEnv(build), ...apt },
        network: step.apt !== undefined,
      }),
    onOutput: (text, stream) => {
      appendFileSync(work.log, text)
      context.emit({ event: 'output', layer: work.layer, stream, text })
    },
    signal: context.signal,
  })
}

/** systemd's tools must not look for a running one, and what a step makes carries the epoch. */
const stepEnv = (build: Build): Readonly<Record<string, string>> => ({
  SYSTEMD_OFFLINE: '1',
  SOURCE_DATE_EPOCH: String(build.epoch),
})
