// What a later update-grub in the image reads: it must give the same menu as the one the disk was made with.

import type { BootSettings } from '../../preseed/read-boot.ts'
import type { DiskLayout } from '../../tasks/plan/disk-layout.ts'
import type { Step } from '../../tasks/plan/step.ts'

/** Seconds; long enough to press a key on a console, short for a fleet. */
const timeout = 1

export function bootLayout(
  { cmdline }: BootSettings,
  partitions: DiskLayout['partitions'],
): DiskLayout['boot'] {
  const holds = (kind: string): boolean => partitions.some(({ content }) => content.kind === kind)
  return { bios: holds('bios'), uefi: holds('esp'), cmdline, timeout }
}

export function grubDefaults({ osProber }: BootSettings, { cmdline }: DiskLayout['boot']): readonly Step[] {
  const serial = /(?:^| )console=ttyS(\d+)(?:,(\d+))?/.exec(cmdline)
  const terminal =
    serial === null
      ? ['GRUB_TERMINAL=console']
      : [
          'GRUB_TERMINAL="console serial"',
          `GRUB_SERIAL_COMMAND="serial --unit=${serial[1]} --speed=${serial[2] ?? 9600}"`,
        ]
  const lines = [
    '# If you change this file, run update-grub afterwards.',
    'GRUB_DEFAULT=0',
    `GRUB_TIMEOUT=${timeout}`,
    'GRUB_DISTRIBUTOR=$( (. /etc/os-release && echo "$NAME") 2>/dev/null || echo Debian)',
    'GRUB_CMDLINE_LINUX_DEFAULT=""',
    `GRUB_CMDLINE_LINUX="${cmdline}"`,
    ...terminal,
    `GRUB_DISABLE_OS_PROBER=${!osProber}`,
  ]
  return [{ do: 'write', path: '/etc/default/grub', content: `${lines.join('\n')}\n`, mode: '0644' }]
}
