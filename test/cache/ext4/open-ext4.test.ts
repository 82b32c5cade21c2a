import {
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  lstatSync,
  readdirSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openRawSource, type BlockSource } from '../../../cache/block-source.ts'
import { sha256 } from '../../../cache/entries.ts'
import { deviceOf, type Inode } from '../../../cache/ext4/inode.ts'
import { Ext4Odd } from '../../../cache/ext4/odd.ts'
import { openExt4, rootInode, type Ext4 } from '../../../cache/ext4/open-ext4.ts'
import { makeExt4, pattern, plantTree, succeed } from '../../rig/ext4-image.ts'

let folder: string
let tree: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'img-ext4-'))
  tree = join(folder, 'tree')
  plantTree(tree)
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Everything in the image by path: what it is, and its bytes, target or entries. */
function readAll(ext4: Ext4): Readonly<Record<string, unknown>> {
  const all: Record<string, unknown> = {}
  const visit = (inode: Inode, path: string): void => {
    const about = { mode: inode.mode, uid: inode.uid, gid: inode.gid, links: inode.links }
    if (inode.kind === 'folder') {
      all[path] = { ...about, kind: 'folder' }
      for (const { inode: number, name } of ext4.entries(inode)) {
        const below = `${path}/${name.toString()}`
        if (below !== '/lost+found') visit(ext4.inode(number), below)
      }
    } else if (inode.kind === 'link')
      all[path] = { ...about, kind: 'link', target: ext4.target(inode).toString() }
    else all[path] = { ...about, kind: inode.kind, mtime: inode.mtime, bytes: bytesOf(ext4, inode) }
  }
  visit(ext4.inode(rootInode), '')
  return all
}

const bytesOf = (ext4: Ext4, inode: Inode): string =>
  sha256(Buffer.concat(Array.from(ext4.content(inode), (part) => Buffer.from(part))))

function expectedTree(): Readonly<Record<string, unknown>> {
  const all: Record<string, unknown> = {}
  const visit = (at: string, path: string): void => {
    const stat = lstatSync(at)
    const about = { mode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid, links: stat.nlink }
    if (stat.isDirectory()) {
      // mke2fs puts lost+found beside the rest.
      all[path] = { ...about, kind: 'folder', links: about.links + (path === '' ? 1 : 0) }
      for (const name of readdirSync(at)) visit(join(at, name), `${path}/${name}`)
    } else if (stat.isSymbolicLink()) all[path] = { ...about, kind: 'link', target: readlinkSync(at) }
    else
      all[path] = {
        ...about,
        kind: 'file',
        mtime: Math.floor(stat.mtimeMs / 1000),
        bytes: sha256(readFileSync(at)),
      }
  }
  visit(tree, '')
  return all
}

async function imageWith(mkfs: readonly string[], size = '32M'): Promise<string> {
  const path = join(folder, 'image')
  await makeExt4(path, { root: tree, mkfs, size })
  return path
}

const forms: readonly (readonly [string, readonly string[], string])[] = [
  ['as Debian makes it', [], '32M'],
  ['with blocks of 1 KiB', ['-b', '1024'], '32M'],
  ['with 64-bit block numbers', ['-O', '64bit'], '32M'],
  ['without', ['-O', '^64bit,^metadata_csum'], '32M'],
  ['with small groups, each with its own descriptors', ['-O', 'meta_bg,^resize_inode', '-g', '1024'], '64M'],
  ['with flexible groups of four', ['-G', '4', '-g', '2048'], '64M'],
  ['with inodes of 128 bytes', ['-I', '128'], '32M'],
  ['with inodes of 1 KiB and data in them', ['-I', '1024', '-O', 'inline_data'], '32M'],
]

test.each(forms)('a filesystem %s holds what was put into it', async (_, mkfs, size) => {
  const source = openRawSource(await imageWith(mkfs, size))
  const ext4 = openExt4(source)!
  expect(readAll(ext4)).toEqual(expectedTree())
  const named = Object.keys(expectedTree()).length
  // The second name of a hardlink is no inode; lost+found and the root are.
  expect([...ext4.inodes()].length).toBe(named - 1 + 1)
  source.close()
})

test.each(forms)('free blocks of a filesystem %s are those dumpe2fs names', async (_, mkfs, size) => {
  const path = await imageWith(mkfs, size)
  const groups = (await succeed(['dumpe2fs', path])).split(/^Group /m).slice(1)
  const named = groups
    .filter((group) => !/^.*BLOCK_UNINIT/.test(group))
    .flatMap((group) => /^ +Free blocks: (.*)$/m.exec(group)?.[1]?.split(', ') ?? [])
    .filter((range) => range !== '')
  expect(named.length).toBeGreaterThan(0)
  const source = openRawSource(path)
  const found = Array.from(openExt4(source)!.freeBlocks(), ({ start, length }) =>
    length === 1 ? String(start) : `${start}-${start + length - 1}`,
  )
  source.close()
  expect(found).toEqual(named)
})

const blocks = (extents: readonly (readonly [number, number, number])[]): readonly string[] =>
  extents.flatMap(([logical, physical, length]) =>
    Array.from({ length }, (_, at) => `${logical + at}:${physical + at}`),
  )

test('extents are where debugfs says, also of a file in many pieces', async () => {
  const path = await imageWith([])
  const scattered = join(folder, 'scattered')
  writeFileSync(scattered, pattern(4096, 9))
  // Every second block written: each is an extent, and they need a tree.
  const sparse = join(folder, 'sparse')
  await succeed([
    'sh',
    '-c',
    'for n in $(seq 0 2 1400); do dd if="$1" of="$2" bs=4096 seek=$n conv=notrunc status=none; done',
    'sh',
    scattered,
    sparse,
  ])
  await succeed(['debugfs', '-w', '-R', `write ${sparse} sparse`, path])
  const source = openRawSource(path)
  const ext4 = openExt4(source)!
  const entry = ext4.entries(ext4.inode(rootInode)).find(({ name }) => name.toString() === 'sparse')!
  const inode = ext4.inode(entry.inode)
  const told = await succeed(['debugfs', '-R', 'dump_extents -l sparse', path])
  // Level, number, logical first - last, physical first - last, length.
  const lines = [...told.matchAll(/^\s*\d+\/\s*\d+\s+\d+\/\s*\d+\s+(\d+) -\s+\d+\s+(\d+) -\s+\d+\s+(\d+)/gm)]
  const expected = lines.map(([, logical, physical, length]) => [
    Number(logical),
    Number(physical),
    Number(length),
  ])
  expect(expected.length).toBeGreaterThan(340)
  const found = ext4
    .extents(inode)
    .map(({ logical, physical, length }) => [logical, physical, length] as const)
  expect(blocks(found)).toEqual(blocks(expected as unknown as readonly (readonly [number, number, number])[]))
  expect(bytesOf(ext4, inode)).toBe(sha256(readFileSync(sparse)))
  source.close()
}, 30_000)

test('attributes and access lists come as getxattr gives them, and devices with their numbers', async () => {
  const path = await imageWith([])
  const commands = [
    'ea_set small security.capability \\x01\\x00\\x00\\x02\\x00\\x20\\x00\\x00',
    `ea_set small user.long ${'v'.repeat(300)}`,
    'ea_set large user.one 1',
    'mknod disk b 259 300',
    'mknod tty c 4 64',
    'mknod pipe p',
  ]
  await succeed(['debugfs', '-w', '-f', '-', path], `${commands.join('\n')}\n`)
  const source = openRawSource(path)
  const ext4 = openExt4(source)!
  const named = Object.fromEntries(
    ext4.entries(ext4.inode(rootInode)).map(({ name, inode }) => [name.toString(), ext4.inode(inode)]),
  )
  expect(Object.keys(ext4.attributes(named['small']!).named).toSorted()).toEqual([
    'security.capability',
    'user.long',
  ])
  expect(ext4.attributes(named['small']!).named['user.long']).toBe('v'.repeat(300))
  expect(ext4.attributes(named['large']!).named).toEqual({ 'user.one': '1' })
  expect(ext4.attributes(named['nothing']!).named).toEqual({})
  expect(deviceOf(named['disk']!)).toEqual([259, 300])
  expect(deviceOf(named['tty']!)).toEqual([4, 64])
  expect([named['disk']!.kind, named['tty']!.kind, named['pipe']!.kind]).toEqual([
    'block',
    'character',
    'fifo',
  ])
  source.close()
})

describe('what is not read', () => {
  test('is no filesystem', async () => {
    const path = join(folder, 'noise')
    writeFileSync(path, pattern(100_000, 3))
    const source = openRawSource(path)
    expect(openExt4(source)).toBeUndefined()
    source.close()
  })

  test.each([
    ['large clusters', ['-O', 'bigalloc'], 'has the features 0x200'],
    [
      'an ext3 filesystem with a large file',
      ['-O', '^extents,^64bit,^flex_bg'],
      /^has no extents in inode \d+$/,
    ],
    [
      'names without case',
      ['-O', 'casefold', '-E', 'encoding=utf8'],
      'has the incompatible features 0x20000',
    ],
    ['encryption', ['-O', 'encrypt'], 'has the incompatible features 0x10000'],
    ['large attributes', ['-O', 'ea_inode'], 'has the incompatible features 0x400'],
  ])('%s', async (_, mkfs, message) => {
    const source = openRawSource(await imageWith(mkfs))
    const attempt = (): unknown => readAll(openExt4(source)!)
    expect(attempt).toThrow(Ext4Odd)
    expect(attempt).toThrow(message)
    source.close()
  })

  test('a filesystem cut short', async () => {
    const path = await imageWith([])
    const source = openRawSource(path)
    const short: BlockSource = { ...source, size: source.size - 4096 }
    expect(() => openExt4(short)).toThrow(
      `is larger than its partition of ${statSync(path).size - 4096} bytes`,
    )
    source.close()
  })
})
