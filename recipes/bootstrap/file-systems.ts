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
      return [`UUID=${uuid} ${content.mount} vfat ${patient('umask=0077,nofail')} 0 1`]
    case 'swap':
      return [`UUID=${uuid} none swap ${patient('sw')} 0 0`]
    case 'ext4':
    case 'xfs': {
      const { kind, mount } = content
      // The root's device is the initramfs's to wait for.
      const options = mount === '/' ? content.options : patient(content.options)
      const pass = kind === 'xfs' ? 0 : mount === '/' ? 1 : 2
      return [`UUID=${uuid} ${mount} ${kind} ${options} 0 ${pass}`]
    }
  }
}

/**
 * systemd waits 90 s for a device, which an emulated machine beside other work does not make, and ends in emergency
 * mode. Only the EFI partition may be missing: nothing of a running system is on it.
 */
const patient = (options: string): string =>
  options.includes('x-systemd.device-timeout=') ? options : `${options},x-systemd.device-timeout=5min`

const mountPoint = (content: Partition['content']): readonly string[] =>
  'mount' in content && content.mount !== '/' ? [content.mount] : []
