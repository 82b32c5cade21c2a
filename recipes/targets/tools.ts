// Programs that make files of finished disks. A tree of their own: another program here rebuilds targets, not images.

import { layer } from '../../tasks/plan/declare.ts'
import type { Layer } from '../../tasks/plan/recipe.ts'
import { toolTree } from '../tools.ts'

const packages: readonly string[] = [
  // One initramfs out of a root tree.
  'cpio',
  // Reading partition tables; sealing the tree itself.
  'fdisk',
  'perl',
  'qemu-utils',
  'squashfs-tools',
  // The stub a kernel becomes an EFI program with.
  'systemd-boot-efi',
  'xz-utils',
  'zstd',
]

/** What targets use unless they are given another. */
export const targetTools: Layer = layer('tools:trixie-targets', toolTree({ suite: 'trixie' }, packages))
