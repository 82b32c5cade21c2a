// Dead blocks, old journals and counters of a mounted filesystem are bytes nobody wants stored or shipped (deleted
// secrets are among them). Freed blocks become holes, journals are made anew, and the superblock tells no history.

import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import { openRawSource, partOf } from '../../cache/block-source.ts'
import type { Inode } from '../../cache/ext4/inode.ts'
import { Ext4Odd } from '../../cache/ext4/odd.ts'
import { openExt4, type Ext4 } from '../../cache/ext4/open-ext4.ts'
import type { DiskPart } from './disk-inspect.ts'
import type { MountedDisk } from './disk-mounts.ts'
import { failure, runOnHost, runTool, type Build } from './namespace-build.ts'
import { insideTools } from './namespace-mounts.ts'
import { overlayCluster } from './overlay-disk.ts'

/** While it is mounted: the kernel knows what is free. */
export async function trimMounted(build: Build, disk: MountedDisk): Promise<void> {
  for (const { mount } of disk.mounts) {
    await runOnHost(build, ['fstrim', `${build.folders.tree}/${mount}`], { what: `trimming /${mount}` })
  }
}

/** When it is unmounted. */
export async function cleanDisk(build: Build, file: string, parts: readonly DiskPart[]): Promise<void> {
  build.context.emit({ event: 'doing', layer: build.work.layer, text: 'cleaning the disk' })
  for (const part of parts) {
    if (part.kind === 'ext4') await cleanExt4(build, file, part)
    if (part.kind === 'swap') await clearSwap(build, file, part)
  }
}

async function cleanExt4(build: Build, file: string, part: DiskPart): Promise<void> {
  const at = `${insideTools(build.folders, file)}?offset=${part.start}`
  const env = { E2FSPROGS_FAKE_TIME: String(build.epoch), SOURCE_DATE_EPOCH: String(build.epoch) }
  const what = `cleaning the filesystem at byte ${part.start}`
  const debug = async (commands: readonly string[]): Promise<void> => {
    const input = commands.map((command) => `${command}\n`).join('')
    await runTool(build, ['debugfs', '-w', '-f', '-', at], { env, input, what, quiet: true })
  }
  const random = randomlyChecked(build.session.seenFromOutside(file), part)
  if (random.length > 0) await debug(random.map((number) => `set_inode_field <${number}> generation 0`))
  const check = async (...options: readonly string[]): Promise<void> => {
    const result = await build.session.run(['e2fsck', '-f', '-y', ...options, at], {
      root: build.folders.tools,
      env,
    })
    // 1 is "errors were corrected", which is what it is run for.
    if (result.exitCode > 1) throw await failure(build, what, result)
  }
  // Mends the checksums of what was set.
  await check()
  await runTool(build, ['tune2fs', '-O', '^has_journal', at], { env, what, quiet: true })
  await runTool(build, ['tune2fs', '-O', 'has_journal', '-C', '0', at], { env, what, quiet: true })
  // A check that mends something discards nothing. This one also frees the old journal's blocks.
  await check('-E', 'discard')
  clearEnds(build.session.seenFromOutside(file), part)
  const date = `@${build.epoch}`
  const fields = [`lastcheck ${date}`, `mtime ${date}`, `wtime ${date}`, 'mnt_count 0', 'kbytes_written 0']
  await debug(fields.map((field) => `set_super_value ${field}`))
}

/**
 * Inodes whose blocks end in a checksum that depends on a random number, so that the folders of two equal builds share
 * no block: all folders, and large files in many pieces.
 */
const randomlyChecked = (file: string, part: DiskPart): readonly number[] =>
  readExt4(file, part, (ext4) =>
    [...ext4.inodes()]
      .filter((inode) => inode.generation !== 0 && hasChecksums(inode))
      .map(({ number }) => number),
  ) ?? []

/** An extent tree's depth is above 0 when it has blocks. */
const hasChecksums = ({ kind, holds, block }: Inode): boolean =>
  kind === 'folder' || (holds === 'extents' && block.readUInt16LE(6) > 0)

/**
 * Below qcow2 only whole clusters are freed, although the answer is yes to the rest, too: what was deleted may still
 * stand at the ends of each range. Zeros written there become holes.
 */
function clearEnds(file: string, part: DiskPart): void {
  const free = readExt4(file, part, (ext4) =>
    Array.from(ext4.freeBlocks(), ({ start, length }) => {
      const from = part.start + start * ext4.blockSize
      return { from, to: from + length * ext4.blockSize }
    }),
  )
  const disk = openSync(file, 'r+')
  const [bytes, zeros] = [Buffer.alloc(2 * overlayCluster), Buffer.alloc(2 * overlayCluster)]
  const clear = (from: number, to: number): void => {
    const length = readSync(disk, bytes, 0, to - from, from)
    if (!bytes.subarray(0, length).equals(zeros.subarray(0, length))) writeSync(disk, zeros, 0, length, from)
  }
  try {
    for (const { from, to } of free ?? []) {
      if (to - from <= 2 * overlayCluster) clear(from, to)
      else {
        clear(from, from + overlayCluster)
        clear(to - overlayCluster, to)
      }
    }
  } finally {
    closeSync(disk)
  }
}

/** Undefined for a filesystem that is not as we know them. */
function readExt4<T>(file: string, part: DiskPart, read: (ext4: Ext4) => T): T | undefined {
  const disk = openRawSource(file)
  try {
    const ext4 = openExt4(partOf(disk, part))
    return ext4 === undefined ? undefined : read(ext4)
  } catch (error) {
    if (error instanceof Ext4Odd) return undefined
    throw error
  } finally {
    disk.close()
  }
}

/** All but the header, which has the UUID fstab names. */
async function clearSwap(build: Build, file: string, part: DiskPart): Promise<void> {
  const range = ['--offset', String(part.start + 4096), '--length', String(part.size - 4096)]
  await runOnHost(build, ['fallocate', '--punch-hole', ...range, file], { what: 'clearing the swap space' })
}
