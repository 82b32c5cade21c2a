// Steps on the mounted disk of a parent, the same for every backend that can mount one.

import { openRawSource } from '../../cache/block-source.ts'
import { layGuards, takeGuards } from './chroot-guards.ts'
import { runTreeStep } from './chroot-steps.ts'
import { trimMounted } from './clean-disk.ts'
import type { BootPlace } from './disk-grub-config.ts'
import { digestOutside } from './disk-inspect.ts'
import { endProcesses, type MountedDisk } from './disk-mounts.ts'
import { announce, type Build } from './namespace-build.ts'
import { mountImage, mountTools } from './namespace-mounts.ts'
import { digestTree } from './namespace-tree.ts'

export interface MountedSteps {
  readonly disk: MountedDisk
  /** The tool tree, as the session's machine sees it. */
  readonly tools: string
  readonly inputs: Readonly<Record<string, string>>
  /** Places of the steps among the work's. */
  readonly from: number
  readonly to: number
  /** enterMounted was called already. */
  readonly isEntered?: true
}

/** Whether it is sealed; a disk that is not is somebody else's to finish. The disk stays mounted. */
export async function runOnMounted(build: Build, steps: MountedSteps): Promise<boolean> {
  const { work } = build
  const { disk } = steps
  if (steps.isEntered !== true) await enterMounted(build, steps)
  let isSealed = false
  for (let index = steps.from; index < steps.to; index += 1) {
    const step = work.steps[index]
    if (step === undefined) break
    announce(build, index)
    isSealed = step.do === 'seal'
    if (isSealed) await takeGuards(build, placeOf(disk))
    if (step.do === 'trim') await trimMounted(build, disk)
    else await runTreeStep(build, step)
  }
  if (!isSealed) await takeGuards(build, placeOf(disk))
  await endProcesses(build)
  await trimMounted(build, disk)
  return isSealed
}

/** Everything the first step needs around it. */
export async function enterMounted(
  { session, folders, ...build }: Build,
  { tools, inputs }: Pick<MountedSteps, 'tools' | 'inputs'>,
): Promise<void> {
  await mountTools(session, folders, tools)
  await mountImage(session, folders, { tools, inputs })
  await layGuards({ session, folders, ...build })
}

/** Digest of the tree while it is mounted. `disk.file` is read from outside the session's namespaces. */
export async function digestMounted(build: Build, disk: MountedDisk): Promise<string> {
  const source = openRawSource(disk.file)
  const about = digestOutside(source, disk.parts)
  source.close()
  return digestTree(build, { about, filesystemRoots: disk.mounts.map(({ mount }) => mount) })
}

function placeOf(disk: MountedDisk): BootPlace {
  const root = disk.mounts.find(({ mount }) => mount === '')?.part
  const boot = disk.mounts.find(({ mount }) => mount === 'boot')?.part
  return {
    rootUuid: root?.uuid ?? '',
    bootUuid: boot?.uuid ?? root?.uuid ?? '',
    bootPath: boot === undefined ? '/boot' : '',
  }
}
