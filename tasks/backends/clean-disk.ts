// Dead blocks, old journals and counters of a mounted filesystem are bytes nobody wants stored or shipped (deleted
// secrets are among them). Freed blocks become holes, journals are made anew, and the superblock tells no history.

import { openRawSource, partOf } from '../../cache/block-source.ts'
import type { Inode } from '../../cache/ext4/inode.ts'
import { Ext4Odd } from '../../cache/ext4/odd.ts'
import { openExt4 } from '../../cache/ext4/open-ext4.ts'
import type { DiskPart } from './disk-inspect.ts'
import type { MountedDisk } from './disk-mounts.ts'
import { failure, runOnHost, runTool, type Build } from './namespace-build.ts'
import { insideTools } from './namespace-mounts.ts'

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
  // e2fsck then mends the checksums.
  const random = randomlyChecked(build.session.seenFromOutside(file), part)
  if (random.length > 0) await debug(random.map((number) => `set_inode_field <${number}> generation 0`))
  const check = ['e2fsck', '-f', '-y', '-E', 'discard', at]
  const result = await build.session.run(check, { root: build.folders.tools, env })
  // 1 is "errors were corrected", which is what it is run for.
  if (result.exitCode > 1) throw await failure(build, what, result)
  await runTool(build, ['tune2fs', '-O', '^has_journal', at], { env, what, quiet: true })
  await runTool(build, ['tune2fs', '-O', 'has_journal', '-C', '0', at], { env, what, quiet: true })
  const date = `@${build.epoch}`
  const fields = [`lastcheck ${date}`, `mtime ${date}`, `wtime ${date}`, 'mnt_count 0', 'kbytes_written 0']
  await debug(fields.map((field) => `set_super_value ${field}`))
}

/**
 * Inodes whose blocks end in a checksum that depends on a random number, so that the folders of two equal builds share
 * no block: all folders, and large files in many pieces. A filesystem we cannot read has none.
 */
function randomlyChecked(file: string, part: DiskPart): readonly number[] {
  const disk = openRawSource(file)
  try {
    const ext4 = openExt4(partOf(disk, part))
    if (ext4 === undefined) return []
    return [...ext4.inodes()]
      .filter((inode) => inode.generation !== 0 && hasChecksums(inode))
      .map(({ number }) => number)
  } catch (error) {
    if (error instanceof Ext4Odd) return []
    throw error
  } finally {
    disk.close()
  }
}

/** An extent tree's depth is above 0 when it has blocks. */
const hasChecksums = ({ kind, holds, block }: Inode): boolean =>
  kind === 'folder' || (holds === 'extents' && block.readUInt16LE(6) > 0)

/** All but the header, which has the UUID fstab names. */
async function clearSwap(build: Build, file: string, part: DiskPart): Promise<void> {
  const range = ['--offset', String(part.start + 4096), '--length', String(part.size - 4096)]
  await runOnHost(build, ['fallocate', '--punch-hole', ...range, file], { what: 'clearing the swap space' })
}
