// Boxes as the vagrant target makes them, of any bytes as disk.

import { vagrant, type VagrantOptions } from '../../recipes/targets/vagrant.ts'
import { debian, parentLayer } from '../recipes/targets/parent-layer.ts'
import { madeFiles } from './made-files.ts'
import type { Content } from './target-content.ts'

export type BoxOptions = Partial<VagrantOptions> & { readonly version: string }

const role = parentLayer('role:web', { debian, bios: true } as const)

export const makeBoxes = (disk: Buffer | string, options: BoxOptions): Promise<Content> => {
  const own = { box: 'example/web', url: 'https://boxes.example.org/web', ...options }
  const files = { 'libvirt/box.img': disk, 'virtualbox/disk.vmdk': disk }
  const wanted = options.providers ?? ['libvirt', 'virtualbox']
  const given = Object.entries(files).filter(([name]) => wanted.some((one) => name.startsWith(one)))
  return madeFiles(vagrant(role, own), { files: Object.fromEntries(given), key: 'a'.repeat(64) })
}
