// The disk a layer's steps change: an overlay on its parent's where one can be had, else a copy.

import path from 'node:path'
import { openDiskChain } from '../../cache/disk-chain.ts'
import { flattenDisk } from '../../cache/flatten-disk.ts'
import { digestOutside } from './disk-inspect.ts'
import { copyDisk, mountDisk, unmountImage, type MountedDisk } from './disk-mounts.ts'
import { digestDiskTree } from './disk-tree.ts'
import type { KnownContents } from './known-contents.ts'
import { runOnHost, type Build } from './namespace-build.ts'
import { digestTree } from './namespace-tree.ts'
import type { OverlayDisk } from './overlay-disk.ts'

export interface WorkDisk {
  /** A raw disk, as everything in the session's namespaces sees it. */
  readonly file: string
  /** Absent: the disk is the file itself. */
  readonly overlay: OverlayDisk | undefined
  /** The file it became. Nothing may be mounted of it any more. */
  complete(): Promise<string>
}

/** Before the tools are mounted, which see the work folder as it was then. */
export async function openWorkDisk(build: Build, overlay: OverlayDisk | undefined): Promise<WorkDisk> {
  if (overlay !== undefined) {
    const complete = async (): Promise<string> => {
      await overlay.complete()
      return overlay.chain[0] ?? ''
    }
    return { file: overlay.file, overlay, complete }
  }
  const file = await copyPlain(build)
  return { file, overlay, complete: async () => file }
}

async function copyPlain(build: Build): Promise<string> {
  const { parentDisk = '', parentBelow = [] } = build.work
  const file = path.join(build.folders.work, 'disk.raw')
  if (parentBelow.length > 0 && (await flattenDisk([parentDisk, ...parentBelow], file))) return file
  return copyDisk(build, parentDisk)
}

/** Of a disk that is cleaned, from its blocks; what cannot be read so is mounted once more. */
export async function digestFinished(
  build: Build,
  { parts, mounts }: MountedDisk,
  { on, known }: { readonly on: WorkDisk; readonly known: KnownContents | undefined },
): Promise<string> {
  await runOnHost(build, ['sync', on.file], { what: 'writing the disk' })
  const chain = on.overlay?.chain ?? [on.file]
  const source = openDiskChain(chain)
  let about: string
  try {
    about = digestOutside(source, parts)
    const below = await known?.over(source.own, chain.slice(1))
    const digest = await digestDiskTree(source, mounts, { about, ...(below === undefined ? {} : { below }) })
    if (digest !== undefined) return digest
  } finally {
    source.close()
  }
  const again = await mountDisk(build, on.file, { tree: build.folders.tree, readOnly: true, parts })
  const filesystemRoots = again.mounts.map(({ mount }) => mount)
  const fromTree = await digestTree(build, { about, filesystemRoots })
  await unmountImage(build)
  return fromTree
}
