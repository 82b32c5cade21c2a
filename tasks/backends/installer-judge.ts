// Pure. How an installation can end other than well, and what is said about it.

import { ImgError } from '../errors.ts'
import type { InstallStep } from '../plan/step.ts'
import type { InstallerStop } from './installer-watch.ts'
import { noLibvirt } from './libvirt-start.ts'

export type InstallerEnding =
  | { readonly kind: 'stopped'; readonly stop: InstallerStop }
  /** virt-install ended; `report` is what the installer said of its last commands. */
  | { readonly kind: 'ended'; readonly exitCode: number; readonly report: number | undefined }

export interface InstallerAbout {
  readonly layer: string
  readonly step: InstallStep
  /** Last lines of the console. */
  readonly console: string
  /** What virt-install said. */
  readonly said: string
}

/** Undefined when the installation is complete. */
export function judgeInstallation(ending: InstallerEnding, about: InstallerAbout): ImgError | undefined {
  const failed = (message: string, hint: string, output = about.console): ImgError =>
    new ImgError('STEP_FAILED', `layer ${about.layer}: ${message}`, { layer: about.layer, output, hint })
  if (ending.kind === 'stopped') return judgeStop(ending.stop, failed)
  const { exitCode, report } = ending
  if (report === 0) return undefined
  if (report !== undefined) {
    return failed(
      `${lastCommands[about.step.answers.kind]} failed with exit code ${report}`,
      `run \`img log ${about.layer}\` for what it said`,
    )
  }
  if (about.console === '' && exitCode === noLibvirt) {
    return failed(
      'libvirtd did not start',
      'look at what libvirtd says; `img doctor` tells what is missing',
      about.said,
    )
  }
  if (about.console === '' && exitCode !== 0) {
    return failed(
      `virt-install failed with exit code ${exitCode} before anything was booted`,
      'look at what virt-install says; `img doctor` tells what is missing',
      about.said,
    )
  }
  return failed(
    'the machine powered off before the installer reported that it was done',
    'read the console above: the installer gave up, or was told to end early',
  )
}

function judgeStop(
  stop: InstallerStop,
  failed: (message: string, hint: string, output?: string) => ImgError,
): ImgError {
  switch (stop.kind) {
    case 'silent':
      return failed(
        `the installer said nothing and wrote nothing for ${stop.seconds} s`,
        'raise the option silence of install() if the machine is only slow, else read the console above',
      )
    case 'too-long':
      return failed(
        `the installation was not done within ${stop.seconds} s`,
        'raise the option limit of install() if the machine is only slow, else read the console above',
      )
    case 'problem':
      return judgeProblem(stop.problem, failed)
  }
}

function judgeProblem(
  { kind, text }: Extract<InstallerStop, { kind: 'problem' }>['problem'],
  failed: (message: string, hint: string) => ImgError,
): ImgError {
  const [first = ''] = text.split('\n')
  switch (kind) {
    case 'question':
      return failed(
        `the installer stopped at a question:\n${indented(text)}`,
        'answer it in the answer file, or correct what it complains about',
      )
    case 'panic':
      return failed(
        `the installer's kernel panicked: ${first}`,
        'give the machine more memory, or set IMG_ACCEL=tcg if this happens with KVM only',
      )
    case 'emergency':
      return failed(
        `the installer stopped in an emergency shell: ${first}`,
        'read the console above; most often the medium or its repository was not found',
      )
  }
}

const indented = (text: string): string =>
  text
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n')

const lastCommands = {
  preseed: 'preseed/late_command',
  kickstart: 'a script of the kickstart',
  autoinstall: 'the installation',
} as const
