// /etc/fstab, by UUID as the installer writes it, and the mount points.

import { deriveDiskIds, type DiskLayout, type Partition } from '../../tasks/plan/disk-layout.ts'
import type { Step } from '../../tasks/plan/step.ts'

export function fileSystems(layout: DiskLayout): readonly Step[] {
  const ids = deriveDiskIds(layout).partitions
  const lines = layout.partitions
    .toSorted((a, b) => depth(a) - depth(b))
    .flatMap((one) => fstabLine(one, ids[one.name]?.filesystem ?? ''))
  const header = '# <file system> <mount point> <type> <options> <dump> <pass>'
  const below = layout.partitions.flatMap(({ content }) => mountPoint(content))
  return [
    ...below.map((path): Step => ({ do: 'mkdir', path, mode: path === '/tmp' ? '1777' : '0755' })),
    { do: 'write', path: '/etc/fstab', content: `${[header, ...lines].join('\n')}\n`, mode: '0644' },
  ]
}

/** Parents are mounted before what lies in them; swap comes last. */
const depth = ({ content }: Partition): number =>
  'mount' in content ? content.mount.split('/').filter(Boolean).length : Infinity

function fstabLine({ content }: Partition, uuid: string): readonly string[] {
  switch (content.kind) {
    case 'bios':
      return []
    case 'esp':
      return [`UUID=${uuid} ${content.mount} vfat umask=0077 0 1`]
    case 'swap':
      return [`UUID=${uuid} none swap sw 0 0`]
    case 'ext4':
      return [`UUID=${uuid} ${content.mount} ext4 ${content.options} 0 ${content.mount === '/' ? 1 : 2}`]
    case 'xfs':
      return [`UUID=${uuid} ${content.mount} xfs ${content.options} 0 0`]
  }
}

const mountPoint = (content: Partition['content']): readonly string[] =>
  'mount' in content && content.mount !== '/' ? [content.mount] : []
