// What the appliance reads besides the image's disk, as raw files it gets as further disks.

import { existsSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import path from 'node:path'
import type { Step } from '../plan/step.ts'
import type { Work } from './backend.ts'
import { runOnHost, type Build } from './namespace-build.ts'

/**
 * The tool tree as a filesystem, made once and kept beside the tree. Its free space, none of which is there yet, is
 * the room a build has for downloads and lists.
 */
export async function toolDisk(build: Build, tools: string): Promise<string> {
  const kept = `${tools}.ext4`
  if (existsSync(kept)) return kept
  const file = path.join(build.folders.work, 'tools.ext4')
  const script = `
truncate --size=16G "$2"
mkfs.ext4 -q -F -m 0 -i 65536 -O ^has_journal -d "$1" "$2"
chmod 0600 "$2"
sync "$2"
`
  await runOnHost(build, ['sh', '-euc', script, 'sh', tools, file], {
    what: 'making a disk of the tool tree',
  })
  await rename(file, kept)
  return kept
}

/** The inputs the steps name as one archive, the first in a folder `0`; undefined when none does. */
export async function inputArchive(
  build: Build,
  inputs: readonly (readonly [name: string, source: string])[],
): Promise<string | undefined> {
  if (inputs.length === 0) return undefined
  const file = path.join(build.folders.work, 'inputs.tar')
  // Steps before a sysprep had one, too.
  await rm(file, { force: true })
  for (const [place, [, source]] of inputs.entries()) {
    // The first part of every name, but not of what symlinks point to.
    const renaming = `--transform=s,^[^/]*,${place},S`
    const from = ['--directory', path.dirname(source), '--', path.basename(source)]
    await runOnHost(build, ['tar', '--append', '--file', file, renaming, ...from], {
      what: 'packing the inputs for the appliance',
    })
  }
  return file
}

/** Inputs steps read from the image's root; a script's is a function. */
export function stagedInputs(
  steps: readonly Step[],
  inputs: Work['inputs'],
): readonly (readonly [name: string, source: string])[] {
  const names = steps.flatMap((step) => (step.do === 'copy' || step.do === 'puppet' ? [step.input] : []))
  return [...new Set(names)].flatMap((name) => {
    const source = inputs[name]
    return source === undefined ? [] : [[name, source] as const]
  })
}

/** In the appliance: partitions of a disk by the byte they start at. `root` is where `/dev` and `/sys` are. */
export async function partitionDevices(
  build: Build,
  disk: string,
  root = '',
): Promise<ReadonlyMap<number, string>> {
  const script = `
device=$(readlink -e "$1$2")
for one in "$1/sys/class/block/\${device##*/}"*/start; do echo "$(cat "$one") $one"; done
`
  const { stdout } = await runOnHost(build, ['sh', '-euc', script, 'sh', root, disk], {
    what: 'reading the partitions',
    quiet: true,
  })
  const devices = stdout.split('\n').flatMap((line) => {
    const [, sector, name] = /^(\d+) .*\/(\w+)\/start$/.exec(line) ?? []
    return sector === undefined || name === undefined ? [] : [[Number(sector) * 512, `/dev/${name}`] as const]
  })
  return new Map(devices)
}
