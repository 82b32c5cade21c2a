// The disk a layer's steps change: an overlay on its parent's where one can be had, else a copy.

import path from 'node:path'
import { openDiskChain } from '../../cache/disk-chain.ts'
import { flattenDisk } from '../../cache/flatten-disk.ts'
import { digestOutside } from './disk-inspect.ts'
import { copyDisk, mountDisk, unmountImage, type MountedDisk } from './disk-mounts.ts'
import { digestDiskTree } from './disk-tree.ts'
import type { Build } from './namespace-build.ts'
import { digestTree } from './namespace-tree.ts'
import { openOverlayDisk } from './overlay-disk.ts'

export interface WorkDisk {
  /** A raw disk, as everything in the session's namespaces sees it. */
  readonly file: string
  /** What it became, complete when this returns; nothing may be mounted of it any more. */
  close(): Promise<FinishedDisk>
}

export interface FinishedDisk {
  readonly path: string
  readonly isOverlay: boolean
  /** The files that are the disk, nearest first. */
  readonly chain: readonly string[]
}

/** Before the tools are mounted, which see the work folder as it was then. */
export async function openWorkDisk(build: Build): Promise<WorkDisk> {
  const { parentDisk = '', parentBelow } = build.work
  const below = parentBelow === undefined ? undefined : [parentDisk, ...parentBelow]
  const overlay = below && (await openOverlayDisk(build, below))
  if (below !== undefined && overlay !== undefined) {
    const close = async (): Promise<FinishedDisk> => {
      const overlayFile = await overlay.close()
      return { path: overlayFile, isOverlay: true, chain: [overlayFile, ...below] }
    }
    return { file: overlay.file, close }
  }
  const file = await copyPlain(build, below ?? [parentDisk])
  return { file, close: async () => ({ path: file, isOverlay: false, chain: [file] }) }
}

async function copyPlain(build: Build, chain: readonly string[]): Promise<string> {
  const file = path.join(build.folders.work, 'disk.raw')
  if (chain.length > 1 && (await flattenDisk(chain, file))) return file
  return copyDisk(build, chain[0] ?? '')
}

/** From the blocks; what cannot be read so is mounted once more. */
export async function digestFinished(build: Build, disk: MountedDisk, on: FinishedDisk): Promise<string> {
  const source = openDiskChain(on.chain)
  try {
    const about = digestOutside(source, disk.parts)
    return (
      (await digestDiskTree(source, disk.mounts, about)) ?? (await digestAgain(build, { disk, on, about }))
    )
  } finally {
    source.close()
  }
}

async function digestAgain(
  build: Build,
  { disk, on, about }: { readonly disk: MountedDisk; readonly on: FinishedDisk; readonly about: string },
): Promise<string> {
  const [, ...below] = on.chain
  const shown = on.isOverlay ? await openOverlayDisk(build, below) : undefined
  const place = { tree: build.folders.tree, readOnly: true, parts: disk.parts }
  const mounted = await mountDisk(build, shown?.file ?? on.path, place)
  const digest = await digestTree(build, {
    about,
    filesystemRoots: mounted.mounts.map(({ mount }) => mount),
  })
  await unmountImage(build)
  await shown?.close()
  return digest
}
