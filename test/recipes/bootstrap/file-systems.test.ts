import { expect, test } from 'vitest'
import { fileSystems } from '../../../recipes/bootstrap/file-systems.ts'
import type { DiskLayout } from '../../../tasks/plan/disk-layout.ts'

const mebibyte = 1024 * 1024

const layout: DiskLayout = {
  size: 4096 * mebibyte,
  table: 'gpt',
  boot: { bios: true, uefi: true, cmdline: '', timeout: 1 },
  partitions: [
    partition('bios', { kind: 'bios' }),
    partition('esp', { kind: 'esp', mount: '/boot/efi' }),
    partition('swap', { kind: 'swap' }),
    partition('log', { kind: 'xfs', mount: '/var/log', options: 'noatime,x-systemd.device-timeout=0' }),
    partition('var', { kind: 'ext4', mount: '/var', options: 'defaults' }),
    partition('root', { kind: 'ext4', mount: '/', options: 'errors=remount-ro' }),
  ],
}

function partition(
  name: string,
  content: DiskLayout['partitions'][number]['content'],
): DiskLayout['partitions'][number] {
  return { name, size: 64 * mebibyte, grow: false, uuid: name, content }
}

// systemd gives a device 90 s; an emulated machine beside other work takes longer to see its second partition.
test('a slow machine does not end in emergency mode, and one without its ESP boots', () => {
  const step = fileSystems(layout).find((one) => one.do === 'write')
  expect(step?.do === 'write' && step.content)
    .toBe(`# <file system> <mount point> <type> <options> <dump> <pass>
UUID=root / ext4 errors=remount-ro 0 1
UUID=var /var ext4 defaults,x-systemd.device-timeout=5min 0 2
UUID=esp /boot/efi vfat umask=0077,nofail,x-systemd.device-timeout=5min 0 1
UUID=log /var/log xfs noatime,x-systemd.device-timeout=0 0 0
UUID=swap none swap sw,x-systemd.device-timeout=5min 0 0
`)
})

test('mount points are there before anything is mounted', () => {
  const folders = fileSystems(layout).flatMap((one) => (one.do === 'mkdir' ? [one.path] : []))
  expect(folders).toEqual(['/boot/efi', '/var/log', '/var'])
})
