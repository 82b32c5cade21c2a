// The files of a disk, read-only: mounted when the first step asks for them.

import { access } from 'node:fs/promises'
import path from 'node:path'
import { ImgError } from '../errors.ts'
import { mountDisk } from './disk-mounts.ts'
import type { Export } from './export-files.ts'

/** Path of the root, for programs of the host in the build's namespaces. */
export async function mountTree(making: Export, disk: string): Promise<string> {
  const tree = path.join(making.folders.work, 'trees', path.basename(disk, '.raw'))
  if (await exists(tree)) return tree
  if (making.context.uid !== 0) {
    const { layer } = making.work
    throw new ImgError(
      'BACKEND_UNAVAILABLE',
      `layer ${layer}: reading the files of its parent's disk needs root`,
      {
        layer,
        hint: 'run img as root',
      },
    )
  }
  await mountDisk(making, disk, { tree, readOnly: true })
  return tree
}

async function exists(folder: string): Promise<boolean> {
  return access(folder).then(
    () => true,
    () => false,
  )
}
