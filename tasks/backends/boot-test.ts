// Boots an image twice in throw-away overlays and judges what the two machines say. The image is never written.

import { mkdir } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { RunContext } from '../context.ts'
import { openWorkspace } from '../run/workspace.ts'
import { resolveAcceleration, type Accelerator } from './acceleration.ts'
import {
  checkBoot,
  checkIdentities,
  checkStability,
  isTooSlow,
  type Check,
  type Expectations,
} from './boot-checks.ts'
import { bootOnce, type Boot } from './boot-once.ts'
import type { BootReport } from './boot-report.ts'
import type { Firmware } from './qemu-arguments.ts'
import { makeOverlay } from './qemu-files.ts'

export interface BootTestOptions {
  /** For messages. */
  readonly layer: string
  readonly expectations: Expectations
  readonly firmware: Firmware['kind']
  /** MiB for each machine. */
  readonly memory: number
  /** Start the first machine again: it must still be the same machine. */
  readonly restart: boolean
  /** Seconds a boot may take; by default what the acceleration makes likely. */
  readonly limit?: number
}

/** Plain data, so that it can be kept. */
export interface BootTest {
  readonly passed: boolean
  readonly checks: readonly Check[]
  readonly boots: readonly BootReport[]
  readonly accelerator: Accelerator
  readonly firmware: Firmware['kind']
  readonly ms: number
  /** Of a boot that did not end well: the console's last lines, and what to do. */
  readonly console?: string
  readonly hint?: string
}

/** Counts up when a test that passed must run again because the test itself asks for more. */
export const bootTestVersion = 1

/** A faulty image is a result; it throws only when no machine can be run here. */
export async function testImage(
  disk: string,
  options: BootTestOptions,
  context: RunContext,
): Promise<BootTest> {
  const started = context.now()
  const { accelerator, reason } = await resolveAcceleration(context)
  context.emit({ event: 'note', layer: options.layer, text: `boots with ${accelerator}: ${reason}` })
  const services = options.expectations.services.map(({ name }) => name)
  const workspace = await openWorkspace(context.cacheDir)
  const directory = workspace.path
  try {
    const boots = await runBoots({ disk, directory, services, options, accelerator }, context)
    const failed = boots.find(({ report }) => report === undefined)
    const reports = boots.flatMap(({ report }) => (report === undefined ? [] : [report]))
    const checks = [...boots.map(({ check }) => check), ...judge(reports, options.expectations)]
    const slow = accelerator === 'tcg' && isTooSlow(reports) ? { hint: slowHint } : {}
    return {
      passed: checks.every(({ passed }) => passed),
      checks,
      boots: reports,
      accelerator,
      firmware: options.firmware,
      ms: context.now() - started,
      ...(failed === undefined ? slow : { console: failed.console, hint: failed.hint }),
    }
  } finally {
    await workspace.remove()
  }
}

const slowHint =
  'services ran into their time limits: emulated machines are slow, so try again when this machine has less to do, or where KVM works'

function judge([one, other, again]: readonly BootReport[], expectations: Expectations): readonly Check[] {
  if (one === undefined || other === undefined) return []
  return [
    ...checkBoot(one, expectations),
    ...checkIdentities(one, other),
    ...(again === undefined ? [] : checkStability(one, again)),
  ]
}

interface Boots {
  readonly disk: string
  readonly directory: string
  readonly services: readonly string[]
  readonly options: BootTestOptions
  readonly accelerator: Accelerator
}

/** Side by side when there is a core for each; the third boot goes on where the first powered off. */
async function runBoots(boots: Boots, context: RunContext): Promise<readonly Boot[]> {
  const cores = availableParallelism()
  const cpus = Math.max(1, Math.min(4, Math.floor(cores / 2)))
  const boot = async (name: string, overlay: string, folder: string): Promise<Boot> =>
    bootOnce(
      { ...boots, ...boots.options, name, overlay, directory: join(boots.directory, folder), cpus },
      context,
    )
  const fresh = async (name: string): Promise<Boot> => {
    const folder = join(boots.directory, name)
    await mkdir(folder)
    return boot(name, await makeOverlay(boots.disk, folder, { signal: context.signal }), name)
  }
  const names = ['first', 'second']
  const done: Boot[] = []
  if (cores > 1) done.push(...(await Promise.all(names.map(fresh))))
  else for (const name of names) done.push(await fresh(name))
  if (boots.options.restart && done.every(({ report }) => report !== undefined)) {
    done.push(await boot('third', join(boots.directory, 'first', 'overlay.qcow2'), 'first'))
  }
  return done
}
