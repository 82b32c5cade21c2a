// One boot of an image: from an overlay to what the machine reported, or to why it did not.

import { randomUUID } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import type { RunContext } from '../context.ts'
import { ImgError } from '../errors.ts'
import type { Accelerator } from './acceleration.ts'
import type { Check } from './boot-checks.ts'
import type { BootParts, BootSource } from './boot-source.ts'
import { makeBootScript, toBootReport, type BootReport } from './boot-report.ts'
import { guestCredentials } from './guest-script.ts'
import type { Firmware } from './qemu-arguments.ts'
import { adviseEnding, describeEnding } from './qemu-ending.ts'
import { prepareFirmware } from './qemu-files.ts'
import { Machine, type MachineLimits } from './qemu-machine.ts'

export interface BootOptions {
  /** `first`, `second`: for checks and messages. */
  readonly name: string
  readonly layer: string
  /** Written. */
  readonly parts: BootParts
  readonly enter?: BootSource['enter']
  /** Private; made here. */
  readonly directory: string
  readonly accelerator: Accelerator
  readonly firmware: Firmware['kind']
  readonly memory: number
  readonly cpus: number
  /** Seconds; by default what the accelerator makes likely. */
  readonly limit?: number
  readonly services: readonly string[]
}

export interface Boot {
  readonly check: Check
  /** Absent when the boot did not end well. */
  readonly report?: BootReport
  readonly console: string
  readonly hint: string
}

export async function bootOnce(options: BootOptions, context: RunContext): Promise<Boot> {
  const { name, layer, accelerator } = options
  await mkdir(options.directory, { recursive: true })
  const script = { text: makeBootScript(options.services, accelerator), nonce: randomUUID() }
  const started = context.now()
  const machine = new Machine({
    parts: {
      ...options.parts,
      accelerator,
      firmware: await prepareFirmware(options.firmware, options.directory),
      memory: options.memory,
      cpus: options.cpus,
      credentials: guestCredentials,
      restarts: false,
      console: 'socket',
    },
    script,
    limits: bootLimits(accelerator, options.limit),
    signal: context.signal,
    onConsole: (text) => context.emit({ event: 'output', layer, stream: 'stdout', text }),
    ...(options.enter === undefined ? {} : { enter: options.enter }),
  })
  const ending = await machine.ended
  if (context.signal.aborted) throw new ImgError('INTERRUPTED', `the boot test of ${layer} was interrupted`)
  const seconds = Math.round((context.now() - started) / 1000)
  const report = toBootReport(machine.facts)
  const console = machine.console.tail()
  if (report !== undefined && ending.kind === 'powered-off') {
    const check = {
      name: `${name} boot`,
      passed: true,
      detail: `reported and powered off after ${seconds} s`,
    }
    return { check, report, console, hint: '' }
  }
  // Whatever it waited for is the likely reason why it was not done.
  const jobs = machine.facts.findLast((fact) => fact.name === 'jobs')?.text ?? ''
  const detail = `${describeEnding(ending)}${jobs === '' ? '' : `; systemd still waits for: ${jobs.replaceAll(/\s+/g, ' ')}`}`
  return { check: { name: `${name} boot`, passed: false, detail }, console, hint: adviseEnding(ending) }
}

/** Pure. Emulation is ten times slower, and slower again beside other work; a longer limit makes all of them longer. */
export function bootLimits(accelerator: Accelerator, limit?: number): MachineLimits {
  const slow = accelerator === 'tcg' ? 4 : 1
  const usualMs = slow * 300_000
  const totalMs = limit === undefined ? usualMs : limit * 1000
  const longer = Math.max(1, totalMs / usualMs)
  return {
    totalMs,
    silenceMs: Math.min(totalMs, longer * slow * 90_000),
    answerMs: Math.min(totalMs, longer * slow * 75_000),
  }
}
