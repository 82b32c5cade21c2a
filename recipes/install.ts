// A system by its distribution's own installer, unattended, in a machine of its own.

import { readAnswers, type AnswerKind, type ReadAnswers } from '../preseed/answer-file.ts'
import { refuseErrors } from '../preseed/finding.ts'
import { hostnamePattern } from '../preseed/read-network.ts'
import {
  checkOptions,
  isCount,
  isFlag,
  isLayerOption,
  isText,
  listOf,
  matching,
  type OptionCheck,
} from '../tasks/plan/options.ts'
import type { Facts, Layer, MediumLocation, Recipe } from '../tasks/plan/recipe.ts'
import type { InstallMachine, InstallStep } from '../tasks/plan/step.ts'
import { diskBytes, isDiskSize } from './disk-size.ts'
import { installArguments, withWishes } from './install-arguments.ts'
import { defaultTools } from './tools.ts'

export interface InstallOptions {
  /** The answer file, relative to the imgfile: a preseed, kickstart or autoinstall, told by its content. */
  readonly answers: string
  /** The installer: see MediumLocation. Pinned in imgfile.lock. */
  readonly location: MediumLocation
  /** Size of the disk: `'4G'`. */
  readonly disk: string
  /** Instead of the answer file's. */
  readonly hostname?: string
  readonly locale?: string
  /** Layout: `'us'`, `'no'`. */
  readonly keyboard?: string
  /** Serial console of the installer and of what it installs, as the kernel takes it; `'ttyS0,115200'`. */
  readonly console?: string
  /** More arguments of the installer's kernel. */
  readonly extraArgs?: readonly string[]
  /** Decides which boot loader is installed; `'bios'`. */
  readonly firmware?: 'bios' | 'uefi'
  /** MiB; 1024, 3072 for a kickstart and 4096 for an autoinstall. Nothing from here on is in the key. */
  readonly memory?: number
  readonly cpus?: number
  readonly connect?: 'qemu:///system' | 'qemu:///session'
  /** Base URL of packages while installing, as this machine sees it, instead of the mirror it uses. */
  readonly mirror?: string
  /** Gives the machine a graphics card, for installers that want one; its console stays the serial one. */
  readonly display?: boolean
  /** Seconds: of the whole installation, and without a sign of life. */
  readonly limit?: number
  readonly silence?: number
  readonly tools?: Layer
}

/**
 * Runs the installer with virt-install.
 *
 * @example layer('install:trixie-di', install({ answers: 'preseed/trixie.cfg', location: { suite: 'trixie' }, disk: '4G' }))
 */
export function install(options: InstallOptions): Recipe {
  checkOptions('install', options, rules)
  const { answers, location, tools = defaultTools } = options
  return {
    name: 'install',
    mode: 'boot',
    parent: 'none',
    inputs: { answers: { kind: 'text', path: answers }, medium: { kind: 'medium', location } },
    tools,
    steps: (facts) => {
      const { path, answers: read, findings } = readFacts(facts)
      refuseErrors(findings, path)
      return [installStep(read, options)]
    },
    warnings: (facts) => {
      const { path, findings } = readFacts(facts)
      return findings
        .filter(({ severity }) => severity === 'warning')
        .map(({ line, message, hint }) => ({ text: message, hint, path, ...(line === 0 ? {} : { line }) }))
    },
    // What the answers are is read later; their name is good enough for the scheduler.
    weight: {
      memory: memoryOf(/\.(?:cfg|preseed)$/.test(answers) ? 'preseed' : 'autoinstall', options),
      machines: 1,
    },
  }
}

function readFacts(facts: Facts): ReadAnswers & { readonly path: string } {
  const { path, content } = facts.text('answers')
  return { path, ...readAnswers(content) }
}

function installStep(answers: ReadAnswers['answers'], options: InstallOptions): InstallStep {
  return {
    do: 'install',
    input: 'medium',
    answers: withWishes(answers, options),
    arguments: installArguments(answers.kind, options),
    size: diskBytes(options.disk),
    firmware: options.firmware ?? 'bios',
    machine: machineOf(answers.kind, options),
  }
}

function machineOf(kind: AnswerKind, options: InstallOptions): InstallMachine {
  const { connect, mirror, limit, silence } = options
  return {
    memory: memoryOf(kind, options),
    cpus: options.cpus ?? 2,
    display: options.display ?? false,
    ...(connect === undefined ? {} : { connect }),
    ...(mirror === undefined ? {} : { mirror }),
    ...(limit === undefined ? {} : { limit }),
    ...(silence === undefined ? {} : { silence }),
  }
}

const memoryOf = (kind: AnswerKind, { memory }: InstallOptions): number => memory ?? usualMemory[kind]

const usualMemory: Readonly<Record<AnswerKind, number>> = {
  preseed: 1024,
  kickstart: 3072,
  autoinstall: 4096,
}

const isLocation: OptionCheck = (value) => {
  if (typeof value === 'string') return isText(value)
  if (typeof value !== 'object' || value === null) return 'not the place of an installer'
  const keys = Object.keys(value).toSorted().join(' ')
  const isKnown = keys === 'suite' || keys === 'initrd kernel'
  return isKnown && Object.values(value).every((one) => isText(one) === undefined)
    ? undefined
    : "not { suite: 'trixie' } or { kernel: …, initrd: … }"
}

const isWord: OptionCheck = matching(/^[^\s"'\\]+$/, 'not one word without quotes')

const rules = {
  required: { answers: isText, location: isLocation, disk: isDiskSize },
  optional: {
    hostname: matching(
      new RegExp(`${hostnamePattern.source.replace(/\$$/, '')}(?:\\.[A-Za-z0-9-]+)*$`),
      'not a host name',
    ),
    locale: matching(
      /^[a-z]{2,3}_[A-Z]{2}(?:\.[A-Za-z0-9-]+)?(?:@[a-z]+)?$/,
      "not a locale such as 'en_US.UTF-8'",
    ),
    keyboard: matching(/^[a-z]{2,8}$/, "not a keyboard layout such as 'us'"),
    console: matching(/^tty[A-Za-z]+\d*(?:,\w+)?$/, "not a console such as 'ttyS0,115200'"),
    extraArgs: listOf(isWord),
    firmware: matching(/^(?:bios|uefi)$/, 'not bios or uefi'),
    memory: isCount,
    cpus: isCount,
    connect: matching(/^qemu:\/\/\/(?:system|session)$/, 'not qemu:///system or qemu:///session'),
    mirror: matching(/^https?:\/\/[^/\s]+(?:\/\S*)?$/, 'not an http or https URL'),
    display: isFlag,
    limit: isCount,
    silence: isCount,
    tools: isLayerOption,
  },
}
