// The disk step: a finished tree becomes a partitioned, bootable disk.

import path from 'node:path'
import type { DiskLayout, PlacedPartition } from '../plan/disk-layout.ts'
import { installBootCode, installBootFiles, makeEfiTree } from './disk-boot.ts'
import { makeEsp, makeFilesystem, makePartitionTable, makeSwap, type Disk } from './disk-partitions.ts'
import { runOnHost, type Build } from './namespace-build.ts'

/** Path of the disk. Afterwards the tree is what a layer on this disk finds mounted. */
export async function makeDisk(build: Build, layout: DiskLayout): Promise<string> {
  const disk = await makePartitionTable(build, layout)
  await installBootFiles(build, disk)
  await installBootCode(build, disk)
  const parts = await splitTree(build, disk)
  for (const partition of disk.partitions) await fillPartition(build, disk, { partition, parts })
  // The EFI partition's files are bytes of the disk: a layer on this one does not see them in its tree.
  await joinTree(build, new Map([...parts].filter(([mount]) => mount !== '/boot/efi')))
  return disk.file
}

/** Subtrees with a partition of their own, deepest first, moved out of the tree: mount point by folder. */
type Parts = ReadonlyMap<string, string>

async function splitTree(build: Build, disk: Disk): Promise<Parts> {
  const mounts = disk.partitions
    .flatMap(({ content }) => ('mount' in content && content.mount !== '/' ? [content.mount] : []))
    .toSorted((one, other) => other.split('/').length - one.split('/').length)
  const parts = new Map<string, string>()
  for (const mount of mounts) {
    const folder = path.join(build.folders.work, 'parts', encodeURIComponent(mount))
    parts.set(mount, folder)
    // The empty folder below a mount point keeps the look of the folder that lay there.
    const script = `
mkdir -p "$1/parts" "\${2%/*}"
parent=\${2%/*}
touch -r "$parent" "$1/parts/.date"
test -d "$2" || { mkdir -m 0755 "$2"; touch -d "@$4" "$2"; }
mv "$2" "$3"
mkdir "$2"
chown --reference="$3" "$2"
chmod --reference="$3" "$2"
touch -r "$3" "$2"
touch -r "$1/parts/.date" "$parent"
`
    const { work, tree } = build.folders
    await runOnHost(
      build,
      ['sh', '-euc', script, 'sh', work, path.join(tree, mount), folder, String(build.epoch)],
      {
        what: `setting ${mount} apart`,
      },
    )
  }
  return parts
}

async function joinTree(build: Build, parts: Parts): Promise<void> {
  const script = `
parent=\${1%/*}
touch -r "$parent" "$2.date"
rmdir "$1"
mv "$2" "$1"
touch -r "$2.date" "$parent"
`
  for (const [mount, folder] of [...parts].toReversed()) {
    await runOnHost(build, ['sh', '-euc', script, 'sh', path.join(build.folders.tree, mount), folder], {
      what: `putting ${mount} back`,
    })
  }
}

async function fillPartition(
  build: Build,
  disk: Disk,
  { partition, parts }: { readonly partition: PlacedPartition; readonly parts: Parts },
): Promise<void> {
  const { content } = partition
  switch (content.kind) {
    case 'bios':
      return undefined
    case 'swap':
      return makeSwap(build, disk, partition)
    case 'esp': {
      const tree = parts.get(content.mount) ?? ''
      await makeEfiTree(build, disk, tree)
      return makeEsp(build, disk, { partition, tree })
    }
    case 'ext4':
    case 'xfs':
      return makeFilesystem(build, disk, { partition, tree: parts.get(content.mount) ?? build.folders.tree })
  }
}
