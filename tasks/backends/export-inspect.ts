// Which system a disk holds, and where: read from its blocks, so that nobody has to mount what others made.

import { Ext4Odd } from '../../cache/ext4/odd.ts'
import { openExt4, rootInode, type Ext4 } from '../../cache/ext4/open-ext4.ts'
import { openRawSource, partOf, type BlockSource } from '../../cache/block-source.ts'
import type { Export } from './export-files.ts'
import { readLogicalVolumes } from './export-lvm.ts'
import { runTool } from './namespace-build.ts'
import { insideTools } from './namespace-mounts.ts'

export interface Inspection {
  /** Partition that grows with the disk, as virt-resize wants it; with `lvexpand` the one that logical volume is on. */
  readonly expand?: string
  readonly lvexpand?: string
  /** libosinfo's short id. */
  readonly osinfo?: string
  /** As the system calls itself. */
  readonly title?: string
  /** What was looked at. */
  readonly partitions: readonly string[]
}

export async function inspectTemplate(making: Export): Promise<Inspection> {
  const partitions = await readTable(making)
  const names = partitions.map(({ name }) => name)
  const disk = openRawSource(making.work.parentDisk!)
  try {
    for (const { name, ...range } of partitions) {
      const part = partOf(disk, range)
      const release = readRelease(part)
      if (release !== undefined) return { expand: name, ...describe(release), partitions: names }
      for (const volume of readLogicalVolumes(part)) {
        const inside = readRelease(partOf(part, volume))
        if (inside !== undefined)
          return { expand: name, lvexpand: volume.name, ...describe(inside), partitions: names }
      }
    }
    return { partitions: names }
  } finally {
    disk.close()
  }
}

/** Pure. `debian13`, `ubuntu22.04`, `rhel9.4`: of the fields of os-release. */
export function osinfoOf(release: Readonly<Record<string, string>>): string | undefined {
  const { ID: id, VERSION_ID: version, VARIANT_ID: variant } = release as Partial<Record<string, string>>
  if (id === undefined || !/^[a-z0-9._-]+$/.test(id)) return undefined
  if (version === undefined) return `${id}testing`
  const [major = ''] = version.split('.')
  if (id === 'centos' && Number(major) >= 8 && variant !== 'linux') return `centos-stream${major}`
  return id === 'rocky' || id === 'almalinux' ? `${id}${major}` : `${id}${version}`
}

interface NamedPartition {
  /** `/dev/sda1`: what virt-resize calls it, whatever the machine does. */
  readonly name: string
  readonly start: number
  readonly size: number
}

async function readTable(making: Export): Promise<readonly NamedPartition[]> {
  const what = 'reading the partition table'
  const argv = ['sfdisk', '--json', insideTools(making.folders, making.disk)]
  const { stdout } = await runTool(making, argv, { what, quiet: true })
  const { partitiontable: table } = JSON.parse(stdout) as {
    readonly partitiontable: {
      readonly sectorsize?: number
      readonly partitions?: readonly {
        readonly node: string
        readonly start: number
        readonly size: number
      }[]
    }
  }
  const sector = table.sectorsize ?? 512
  return (table.partitions ?? []).map(({ node, start, size }) => ({
    name: `/dev/sda${/[0-9]+$/.exec(node)?.[0] ?? ''}`,
    start: start * sector,
    size: size * sector,
  }))
}

/** Fields of the os-release of an installed system; undefined where there is none. */
function readRelease(part: BlockSource): Readonly<Record<string, string>> | undefined {
  try {
    const ext4 = openExt4(part)
    if (ext4 === undefined) return undefined
    const text = readText(ext4, 'usr/lib/os-release') ?? readText(ext4, 'etc/os-release')
    return text === undefined ? undefined : parseRelease(text)
  } catch (error) {
    // Something else, or too damaged to hold a system.
    if (error instanceof Ext4Odd) return undefined
    throw error
  }
}

function readText(ext4: Ext4, path: string): string | undefined {
  let inode = ext4.inode(rootInode)
  for (const part of path.split('/')) {
    if (inode.kind !== 'folder') return undefined
    const entry = ext4.entries(inode).find(({ name }) => name.toString() === part)
    if (entry === undefined) return undefined
    inode = ext4.inode(entry.inode)
  }
  if (inode.kind !== 'file' || inode.size > 64 * 1024) return undefined
  return Buffer.concat([...ext4.content(inode)].map((bytes) => Buffer.from(bytes))).toString(
    'utf8',
    0,
    inode.size,
  )
}

function parseRelease(text: string): Readonly<Record<string, string>> {
  const fields = [...text.matchAll(/^([A-Z_]+)=(["']?)(.*)\2$/gm)]
  return Object.fromEntries(fields.map(([, key = '', , value = '']) => [key, value]))
}

function describe(release: Readonly<Record<string, string>>): Pick<Inspection, 'osinfo' | 'title'> {
  const osinfo = osinfoOf(release)
  const title = release['PRETTY_NAME']
  return { ...(osinfo === undefined ? {} : { osinfo }), ...(title === undefined ? {} : { title }) }
}
