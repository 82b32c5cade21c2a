// What lies on a disk, read from its file: the table by sfdisk and each partition's content by blkid, both from the
// tool tree. No loop device and no kernel partition scan is needed, so nothing of it can be left over.

import { createHash } from 'node:crypto'
import type { BlockSource } from '../../cache/block-source.ts'
import { ImgError } from '../errors.ts'
import { runTool, type Build } from './namespace-build.ts'
import { insideTools } from './namespace-mounts.ts'

export interface DiskPart {
  readonly start: number
  readonly size: number
  readonly partUuid: string
  readonly partLabel: string
  /** blkid's word, `''` when it knows nothing: `ext4`, `xfs`, `swap`, `vfat`. */
  readonly kind: string
  readonly uuid: string
  readonly label: string
}

export async function inspectDisk(build: Build, file: string): Promise<readonly DiskPart[]> {
  const inTools = insideTools(build.folders, file)
  const what = 'reading the partition table'
  const { stdout } = await runTool(build, ['sfdisk', '--json', inTools], { what, quiet: true })
  const table = JSON.parse(stdout) as SfdiskTable
  const sector = table.partitiontable.sectorsize ?? 512
  const parts: DiskPart[] = []
  for (const one of table.partitiontable.partitions ?? []) {
    const place = { start: one.start * sector, size: one.size * sector }
    const content = await probePart(build, inTools, place)
    parts.push({ ...place, ...content, partUuid: one.uuid ?? '', partLabel: one.name ?? '' })
  }
  return parts
}

export const isMountable = (part: DiskPart): boolean => part.kind === 'ext4' || part.kind === 'xfs'

/** Shape of the disk and everything outside of filesystems: table, boot code, the EFI partition, swap headers. */
export function digestOutside(disk: BlockSource, parts: readonly DiskPart[]): string {
  const hash = createHash('sha256')
  const { size } = disk
  const skipped = parts.flatMap((part) => {
    if (isMountable(part)) return [{ start: part.start, end: part.start + part.size }]
    // Behind its header a swap space holds nothing.
    return part.kind === 'swap' ? [{ start: part.start + 4096, end: part.start + part.size }] : []
  })
  const gaps = [...skipped.toSorted((one, other) => one.start - other.start), { start: size, end: size }]
  let offset = 0
  for (const gap of gaps) {
    hashRange(disk, hash, { start: offset, end: gap.start })
    offset = gap.end
  }
  return JSON.stringify({ size, parts, outside: hash.digest('hex') })
}

interface SfdiskTable {
  readonly partitiontable: {
    readonly sectorsize?: number
    readonly partitions?: readonly {
      readonly start: number
      readonly size: number
      readonly uuid?: string
      readonly name?: string
    }[]
  }
}

async function probePart(
  build: Build,
  file: string,
  place: { readonly start: number; readonly size: number },
): Promise<Pick<DiskPart, 'kind' | 'uuid' | 'label'>> {
  const range = ['--offset', String(place.start), '--size', String(place.size)]
  const argv = ['blkid', '--probe', ...range, '--usages', 'filesystem,other', '--output', 'export', file]
  const result = await build.session.run(argv, { root: build.folders.tools, quiet: true })
  // 2 is "nothing known"; 8 is "more than one thing", which nobody could mount either.
  if (result.exitCode !== 0 && result.exitCode !== 2 && result.exitCode !== 8) {
    throw new ImgError('BACKEND_UNAVAILABLE', `blkid failed with exit code ${result.exitCode}`, {
      output: result.stderr.trim(),
      hint: 'the tool tree has no usable util-linux; rebuild it',
    })
  }
  const value = (name: string): string => new RegExp(`^${name}=(.*)$`, 'm').exec(result.stdout)?.[1] ?? ''
  return { kind: value('TYPE'), uuid: value('UUID'), label: value('LABEL') }
}

function hashRange(
  disk: BlockSource,
  hash: ReturnType<typeof createHash>,
  range: { readonly start: number; readonly end: number },
): void {
  const buffer = Buffer.alloc(1024 * 1024)
  for (let offset = range.start; offset < range.end; offset += buffer.length) {
    const part = buffer.subarray(0, Math.min(buffer.length, range.end - offset))
    disk.read(offset, part)
    hash.update(part)
  }
}
