// Boots an image twice and judges what the two machines say. The image is never written.

import { randomBytes } from 'node:crypto'
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
import { bootOnce, type Boot, type BootOptions } from './boot-once.ts'
import { checkRefusal, fetchedImage } from './boot-refusal.ts'
import type { BootReport } from './boot-report.ts'
import { diskSource, openMemorySource, type BootSource } from './boot-source.ts'
import type { Firmware } from './qemu-arguments.ts'

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
  /** Of machines; a container needs none. */
  readonly accelerator?: Accelerator
  readonly firmware?: Firmware['kind']
  readonly ms: number
  /** Of a boot that did not end well: the console's last lines, and what to do. */
  readonly console?: string
  readonly hint?: string
}

/** Counts up when a test that passed must run again because the test itself asks for more. */
export const bootTestVersion = 1

/** What is tried: a disk, or a folder of files a machine without one boots from, in which a file is changed at the end. */
export type Tried =
  | { readonly kind: 'disk'; readonly disk: string }
  | { readonly kind: 'memory'; readonly folder: string }

/** A faulty image is a result; it throws only when no machine can be run here. */
export async function testImage(
  tried: Tried,
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
    const { boots, more } = await runBoots({ tried, directory, services, options, accelerator }, context)
    const failed = boots.find(({ report }) => report === undefined)
    const reports = boots.flatMap(({ report }) => (report === undefined ? [] : [report]))
    const checks = [...boots.map(({ check }) => check), ...judge(reports, options.expectations), ...more]
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
  readonly tried: Tried
  readonly directory: string
  readonly services: readonly string[]
  readonly options: BootTestOptions
  readonly accelerator: Accelerator
}

async function runBoots(
  boots: Boots,
  context: RunContext,
): Promise<{ readonly boots: readonly Boot[]; readonly more: readonly Check[] }> {
  const { tried, directory } = boots
  if (tried.kind === 'disk')
    return { boots: await bootAll(boots, diskSource(tried.disk, context), context), more: [] }
  const source = await openMemorySource(tried.folder, { directory, context })
  try {
    const done = await bootAll(boots, source, context)
    const image = await fetchedImage(tried.folder)
    if (image === undefined || !done.every(({ report }) => report !== undefined))
      return { boots: done, more: [] }
    const options = await bootOptions(boots, { name: 'changed', source })
    return { boots: done, more: [await checkRefusal(image, options, context)] }
  } finally {
    await source.close()
  }
}

/** Side by side when there is a core for each; the third boot goes on where the first powered off. */
async function bootAll(boots: Boots, source: BootSource, context: RunContext): Promise<readonly Boot[]> {
  const names = ['first', 'second']
  const starts: BootOptions[] = []
  for (const name of names) starts.push(await bootOptions(boots, { name, source }))
  const done: Boot[] = []
  if (availableParallelism() > 1)
    done.push(...(await Promise.all(starts.map((start) => bootOnce(start, context)))))
  else for (const start of starts) done.push(await bootOnce(start, context))
  if (boots.options.restart && done.every(({ report }) => report !== undefined)) {
    done.push(await bootOnce({ ...starts[0]!, name: 'third' }, context))
  }
  return done
}

async function bootOptions(
  { options, directory, ...boots }: Boots,
  { name, source }: { readonly name: string; readonly source: BootSource },
): Promise<BootOptions> {
  const folder = join(directory, name)
  await mkdir(folder)
  const parts = await source.parts(folder)
  return {
    ...boots,
    ...options,
    name,
    directory: folder,
    // DHCP identities are made of address and second, and two machines of one test start in the same one.
    parts: { ...parts, network: { ...parts.network, mac: randomMac() } },
    ...(source.enter === undefined ? {} : { enter: source.enter }),
    cpus: Math.max(1, Math.min(4, Math.floor(availableParallelism() / 2))),
  }
}

const randomMac = (): string => ['52', '54', '00', ...randomBytes(3).toString('hex').match(/../g)!].join(':')
