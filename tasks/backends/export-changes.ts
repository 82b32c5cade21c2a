// What each of a chain of disks changed in the one below, with the files' contents.

import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import path from 'node:path'
import type { Export } from './export-files.ts'
import { mountTree } from './export-trees.ts'
import { runOnHost } from './namespace-build.ts'
import { isLeftOut, treeChanges, type Changes, type Tree, type TreeFile } from './oci-changes.ts'
import { readTar } from './tar-entries.ts'
import type { TarWriter } from './tar-writer.ts'
import { tarOptions } from './tool-tree.ts'

export interface DiskChange extends Changes {
  /** Writes what is in `written`, or in `paths`, in the order of the names. */
  readonly copy: (writer: TarWriter, paths?: ReadonlySet<string>) => Promise<void>
}

/** The first disk's is everything. `exclude` as isLeftOut has it. */
export async function eachChange(
  making: Export,
  { disks, exclude }: { readonly disks: readonly string[]; readonly exclude: readonly string[] },
  visit: (change: DiskChange) => Promise<void>,
): Promise<void> {
  let below: Tree = new Map()
  for (const disk of disks) {
    const tar = path.join(making.folders.work, 'tree.tar')
    const root = await mountTree(making, disk)
    await runOnHost(making, ['tar', '--create', '--file', tar, ...tarOptions, '--directory', root, '.'], {
      what: 'reading the files of a layer',
    })
    const tree = await readTree(tar, exclude)
    const changes = treeChanges(below, tree)
    await visit({
      ...changes,
      copy: (writer, paths = changes.written) => copyEntries(tar, writer, paths),
    })
    await rm(tar)
    below = tree
  }
}

async function readTree(tar: string, exclude: readonly string[]): Promise<Tree> {
  const tree = new Map<string, TreeFile>()
  let content: Hash = createHash('sha256')
  await readTar(createReadStream(tar, { highWaterMark: readSize }), {
    entry: (entry) => {
      if (entry.type !== '0' || isLeftOut(entry, exclude)) return undefined
      content = createHash('sha256')
      return (part) => void content.update(part)
    },
    end: (entry) => {
      if (isLeftOut(entry, exclude)) return
      tree.set(entry.path, { entry, content: entry.type === '0' ? content.digest('hex') : '' })
    },
  })
  return tree
}

async function copyEntries(tar: string, writer: TarWriter, paths: ReadonlySet<string>): Promise<void> {
  await readTar(createReadStream(tar, { highWaterMark: readSize }), {
    entry: (entry) => {
      if (!paths.has(entry.path)) return undefined
      writer.entry(entry)
      return (part) => writer.content(part)
    },
    end: () => undefined,
  })
}

const readSize = 1024 * 1024
