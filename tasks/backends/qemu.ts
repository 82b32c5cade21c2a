// Runs boot steps: a copy of the disk runs as a machine, once for each step, and is the next one's disk.

import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RunContext } from '../context.ts'
import { ImgError } from '../errors.ts'
import { missingTools, packagesOf } from '../run/tools.ts'
import { installCommand } from '../run/tools-install.ts'
import { runProgram } from '../run/process.ts'
import type { Backend, BackendProbe, Work, WorkResult } from './backend.ts'
import { runFirstboot } from './firstboot-run.ts'
import { labelOf } from './step-label.ts'

export function qemuBackend(): Backend {
  return { name: 'qemu', modes: ['boot'], steps: new Set(['firstboot']), mounts: new Set(), probe, run }
}

async function probe({ uid }: RunContext): Promise<BackendProbe> {
  const missing = missingTools(['qemu-system-x86_64', 'unshare', 'nsenter', 'perl'])
  if (missing.length === 0) return { available: true }
  return {
    available: false,
    reason: `${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} not installed`,
    hint: `run \`${installCommand(packagesOf(missing), uid)}\``,
  }
}

async function run(work: Work, context: RunContext): Promise<WorkResult> {
  const { layer, parentDisk, steps } = work
  if (parentDisk === undefined) throw new Error(`layer ${layer} has no disk to boot`)
  const disk = await copyDisk(parentDisk, work, context)
  for (const [index, step] of steps.entries()) {
    if (step.do !== 'firstboot') throw new Error(`qemu was given the step ${step.do}`)
    const label = labelOf(step)
    context.emit({ event: 'step-start', layer, step: index + 1, steps: steps.length, label })
    appendFileSync(work.log, `+ ${label}\n`)
    await runFirstboot(step, { work, disk, directory: join(work.directory, `machine-${index}`) }, context)
  }
  return { files: { 'disk.raw': disk }, toolVersions: { qemu: await readQemuVersion(context) } }
}

async function copyDisk(from: string, { layer, directory }: Work, { signal }: RunContext): Promise<string> {
  const disk = join(directory, 'disk.raw')
  const copy = ['cp', '--reflink=auto', '--sparse=always', '--no-preserve=mode', '--', from, disk]
  const { exitCode, stderr } = await runProgram(copy, { signal })
  if (exitCode === 0) return disk
  throw new ImgError('DISK_FULL', `layer ${layer}: the parent's disk could not be copied`, {
    layer,
    path: directory,
    hint: 'free space, run `img cache gc`, or set IMG_CACHE_DIR to a larger filesystem',
    output: stderr.trim(),
  })
}

export async function readQemuVersion({ signal }: RunContext): Promise<string> {
  const { stdout } = await runProgram(['qemu-system-x86_64', '--version'], { signal })
  return /version (\S+)/.exec(stdout)?.[1] ?? 'unknown'
}
