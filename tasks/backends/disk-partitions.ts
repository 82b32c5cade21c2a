// The raw file of a disk, its partition table and the filesystems in it, made in place: no loop device, no
// partition nodes, every identifier and date fixed.

import { truncate, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { ImgError } from '../errors.ts'
import { deriveDiskIds, placePartitions, type DiskLayout, type PlacedPartition } from '../plan/disk-layout.ts'
import { runTool, type Build } from './namespace-build.ts'
import { insideTools } from './namespace-mounts.ts'

export interface Disk {
  readonly layout: DiskLayout
  readonly partitions: readonly PlacedPartition[]
  /** On the host and as the tool tree sees it. */
  readonly file: string
  readonly fileInTools: string
}

export async function makePartitionTable(build: Build, layout: DiskLayout): Promise<Disk> {
  const file = path.join(build.folders.work, 'disk.raw')
  await writeFile(file, '')
  await truncate(file, layout.size)
  const disk = {
    layout,
    partitions: placePartitions(layout),
    file,
    fileInTools: insideTools(build.folders, file),
  }
  const argv = ['sfdisk', '--quiet', '--no-reread', '--no-tell-kernel', disk.fileInTools]
  await runTool(build, argv, { input: renderTable(disk), what: 'making the partition table' })
  return disk
}

/** Fills one ext4 or xfs partition with a folder of the work folder. */
export async function makeFilesystem(
  build: Build,
  disk: Disk,
  { partition, tree }: { readonly partition: PlacedPartition; readonly tree: string },
): Promise<void> {
  const { content } = partition
  if (content.kind !== 'ext4') {
    throw new ImgError(
      'OPTION_INVALID',
      `the partition ${partition.name} of a new disk is to be ${content.kind}, and only ext4 can be made without mounting it`,
      { hint: 'use ext4' },
    )
  }
  const ids = deriveDiskIds(disk.layout).partitions[partition.name]
  const extended = [
    `hash_seed=${ids?.hashSeed}`,
    `offset=${partition.start}`,
    'lazy_itable_init=0',
    'lazy_journal_init=0',
    'nodiscard',
    'root_owner=0:0',
  ]
  const argv = [
    'mkfs.ext4 -q -F -b 4096 -I 256 -T default'.split(' '),
    // GRUB 2.06 and e2fsprogs before 1.47 cannot read these two.
    ['-O', '^metadata_csum_seed,^orphan_file'],
    ['-G', String(flexGroups(partition.size))],
    ['-U', ids?.filesystem ?? '', '-E', extended.join(',')],
    content.label === undefined ? [] : ['-L', content.label],
    content.reserved === undefined ? [] : ['-m', String(content.reserved)],
    ['-d', insideTools(build.folders, tree), disk.fileInTools, `${partition.size / 1024}k`],
  ].flat()
  const what = `making the filesystem of ${content.mount} (partition ${partition.name}, ${partition.size / 1024 ** 2} MiB)`
  // mke2fs clamps every date to SOURCE_DATE_EPOCH: with the epoch, packages' files would lose theirs.
  await runTool(build, argv, { env: { SOURCE_DATE_EPOCH: String(build.cut) }, what })
  await setRootInode(build, disk, { partition, tree })
}

/**
 * All block groups of a filesystem, and of what it may grow to: with several such groups the kernel chooses one for a
 * new folder by how many blocks are free, which depends on when it has written what. Two equal builds then had other
 * inode numbers in 7,498 of 67,193 places, with one group in none.
 */
function flexGroups(size: number): number {
  const groups = Math.ceil(size / groupBytes)
  return Math.max(leastGroups, 2 ** Math.ceil(Math.log2(groups)))
}

/** Of blocks of 4 KiB. */
const groupBytes = 128 * 1024 ** 2
/** 32 GiB. */
const leastGroups = 256

/** mke2fs makes its own root folder and copies only what lies in the given one. */
async function setRootInode(
  build: Build,
  disk: Disk,
  { partition, tree }: { readonly partition: PlacedPartition; readonly tree: string },
): Promise<void> {
  const what = `setting the root folder of the partition ${partition.name}`
  const stat = ['stat', '--format=%f %u %g %Y', insideTools(build.folders, tree)]
  const { stdout } = await runTool(build, stat, { what, quiet: true })
  const [mode = '', uid = '', gid = '', mtime = ''] = stdout.trim().split(' ')
  const fields = [
    `mode 0${Number.parseInt(mode, 16).toString(8)}`,
    `uid ${uid}`,
    `gid ${gid}`,
    `mtime @${mtime}`,
  ]
  const input = fields.map((field) => `set_inode_field <2> ${field}\n`).join('')
  const argv = ['debugfs', '-w', '-f', '-', `${disk.fileInTools}?offset=${partition.start}`]
  const date = String(build.cut)
  const env = { E2FSPROGS_FAKE_TIME: date, SOURCE_DATE_EPOCH: date }
  await runTool(build, argv, { env, input, what, quiet: true })
}

export async function makeSwap(build: Build, disk: Disk, partition: PlacedPartition): Promise<void> {
  const uuid = deriveDiskIds(disk.layout).partitions[partition.name]?.filesystem ?? ''
  const size = `${partition.size / 1024}`
  const argv = ['mkswap', '--quiet', '--uuid', uuid, '--offset', String(partition.start)]
  await runTool(build, [...argv, disk.fileInTools, size], { what: `making the swap space ${partition.name}` })
}

/** The folder's files with the given dates, in a FAT filesystem whose serial number and dates are fixed. */
export async function makeEsp(
  build: Build,
  disk: Disk,
  { partition, tree }: { readonly partition: PlacedPartition; readonly tree: string },
): Promise<void> {
  const serial = deriveDiskIds(disk.layout).partitions[partition.name]?.filesystem.replace('-', '') ?? ''
  const at = `${disk.fileInTools}@@${partition.start}`
  const env = { SOURCE_DATE_EPOCH: String(build.epoch), MTOOLS_SKIP_CHECK: '1' }
  const what = `making the EFI system partition ${partition.name}`
  const fat = partition.size >= 260 * 1024 ** 2 ? '32' : '16'
  const argv = [
    ['mkfs.vfat', '--invariant', '-i', serial, '-n', 'ESP', '-F', fat],
    [`--offset=${partition.start / 512}`, disk.fileInTools, String(partition.size / 1024)],
  ].flat()
  await runTool(build, argv, { env, what })
  const copyAll = `xargs -0r sh -c 'at=$0; mcopy -s -m -Q -i "$at" "$@" ::' "$2"`
  const script = `cd "$1" && find . -mindepth 1 -maxdepth 1 -print0 | sort -z | ${copyAll}`
  await runTool(build, ['sh', '-euc', script, 'sh', insideTools(build.folders, tree), at], { env, what })
}

function renderTable(disk: Disk): string {
  const ids = deriveDiskIds(disk.layout)
  const lines = disk.partitions.map((one) => {
    const fields = [
      `start=${one.start / 512}`,
      `size=${one.size / 512}`,
      `type=${partitionTypes[one.content.kind]}`,
      `uuid=${ids.partitions[one.name]?.partition}`,
      `name="${one.name}"`,
    ]
    return `${fields.join(', ')}\n`
  })
  return ['label: gpt\n', `label-id: ${ids.disk}\n`, 'sector-size: 512\n', '\n', ...lines].join('')
}

/** GPT partition types. Linux data for all filesystems: the root type would make systemd mount what fstab does not say. */
const partitionTypes = {
  bios: '21686148-6449-6E6F-744E-656564454649',
  esp: 'C12A7328-F81F-11D2-BA4B-00A0C93EC93B',
  swap: '0657FD6D-A4AB-43C4-84E5-0933C84B4F4F',
  ext4: '0FC63DAF-8483-4772-8E79-3D69D8477DE4',
  xfs: '0FC63DAF-8483-4772-8E79-3D69D8477DE4',
} as const
