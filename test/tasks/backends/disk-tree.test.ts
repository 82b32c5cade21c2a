import { createReadStream, linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openRawSource, type BlockSource } from '../../../cache/block-source.ts'
import { digestDiskTree } from '../../../tasks/backends/disk-tree.ts'
import type { MountedDisk } from '../../../tasks/backends/disk-mounts.ts'
import { openKnownContents } from '../../../tasks/backends/known-contents.ts'
import { tarOptions } from '../../../tasks/backends/tool-tree.ts'
import { computeTreeDigest } from '../../../tasks/backends/tree-digest.ts'
import { makeExt4, plantTree, succeed } from '../../rig/ext4-image.ts'

let folder: string
let disk: BlockSource
const size = 64 * 1024 * 1024
const mounts = [{ part: { start: 0, size }, mount: '' }] as unknown as MountedDisk['mounts']

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'img-disk-tree-'))
  const root = join(folder, 'root')
  mkdirSync(root)
  plantTree(root)
  // `a-b` sorts before `a/…` as a path and after the folder `a` as tar walks: which name is the first differs.
  for (const name of ['a', 'a-b']) mkdirSync(join(root, name))
  writeFileSync(join(root, 'a', 'twice'), 'one file')
  linkSync(join(root, 'a', 'twice'), join(root, 'a-b', 'twice'))
  await succeed(['mkfifo', join(root, 'fifo')])
  linkSync(join(root, 'fifo'), join(root, 'pipe'))
  await makeExt4(join(folder, 'disk'), { root, size: '64M' })
  disk = openRawSource(join(folder, 'disk'))
})
afterAll(() => {
  disk.close()
  rmSync(folder, { recursive: true })
})

test('has the digest tar gives of the same files', async () => {
  const tar = join(folder, 'tree.tar')
  const argv = ['tar', '--create', '--file', tar, ...tarOptions, '--directory', join(folder, 'root'), '.']
  await succeed(argv)
  const rest = { about: 'a disk', filesystemRoots: [] }
  const wanted = await computeTreeDigest(createReadStream(tar), rest)
  expect(await digestDiskTree(disk, mounts, { about: 'a disk' })).toBe(wanted)
  expect(await digestDiskTree(disk, mounts, { about: 'another disk' })).not.toBe(wanted)
})

test('is the same by what is known of the disk below, of which no file is read again', async () => {
  const known = openKnownContents()
  let bytes = 0
  const counted: BlockSource = {
    ...disk,
    read(position, into) {
      bytes += into.length
      disk.read(position, into)
    },
  }
  const digest = async (): Promise<readonly [string | undefined, number]> => {
    bytes = 0
    const below = await known.over([], [join(folder, 'disk')])
    return [await digestDiskTree(counted, mounts, { about: 'a disk', below }), bytes]
  }
  const [first, all] = await digest()
  const [second, some] = await digest()
  expect(first).toBe(await digestDiskTree(disk, mounts, { about: 'a disk' }))
  expect(second).toBe(first)
  expect(all - some).toBeGreaterThan(4096)
})

test('has none where something is not read', async () => {
  const damaged: BlockSource = {
    ...disk,
    read(position, into) {
      disk.read(position, into)
      // The superblock's magic.
      if (position <= 1080 && position + into.length > 1082) into.writeUInt16LE(0, 1080 - position)
    },
  }
  expect(await digestDiskTree(damaged, mounts, { about: '' })).toBeUndefined()
})
