// What machines without a disk boot from, as the ramdisk target makes it, of any bytes as kernel and images.

import { ramdisk, type RamdiskOptions } from '../../recipes/targets/ramdisk.ts'
import { debian, parentLayer } from '../recipes/targets/parent-layer.ts'
import { madeFiles } from './made-files.ts'
import { type Content, sha256 } from './target-content.ts'

const role = parentLayer('role:web', { debian } as const)

/** The first image is the base's: it stays the same. */
export const makeBootFiles = (own: string, options: RamdiskOptions = {}): Promise<Content> => {
  const images = ['base', own].map((data) => [`root-${sha256(data).slice(0, 16)}.squashfs`, data] as const)
  const files = { vmlinuz: `kernel ${own}`, 'initrd.img': `initramfs ${own}`, ...Object.fromEntries(images) }
  return madeFiles(ramdisk(role, options), { files, key: sha256(own) })
}
