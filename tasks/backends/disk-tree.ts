// The digest of a disk's tree, read from its blocks: what digestTree gives for the mounted tree, without a mount, a walk
// by the kernel, and an archive in between. What the reader does not know, it says; then the tree is mounted and read.

import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { partOf, type BlockSource } from '../../cache/block-source.ts'
import { deviceOf, type Inode, type InodeKind } from '../../cache/ext4/inode.ts'
import { Ext4Odd } from '../../cache/ext4/odd.ts'
import { openExt4, rootInode, type Ext4 } from '../../cache/ext4/open-ext4.ts'
import type { MountedDisk } from './disk-mounts.ts'
import type { ContentsBelow, PlacedFile } from './known-contents.ts'
import type { TarEntry } from './tar-entries.ts'
import { lostAndFound, renderRecord, sumRecords } from './tree-digest.ts'

/** Undefined when it holds something that is not read here. `below` saves reading what was read before. */
export async function digestDiskTree(
  source: BlockSource,
  mounts: MountedDisk['mounts'],
  { about, below }: { readonly about: string; readonly below?: ContentsBelow },
): Promise<string | undefined> {
  try {
    const filesystems = mounts.map(({ part, mount }) => openFilesystem(source, part, mount))
    const records: (readonly [path: string, record: string])[] = []
    let hashed = 0
    const digestOf = (content: Iterable<Buffer>): string => {
      const hash = createHash('sha256')
      for (const part of content) {
        hash.update(part)
        hashed += part.length
      }
      return hash.digest('hex')
    }
    for (const { entry, content, place } of walk(filesystems)) {
      const compute = (): string => (content === undefined ? '' : digestOf(content))
      const placed = below === undefined ? undefined : place?.()
      records.push([
        entry.path,
        renderRecord(entry, placed === undefined ? compute() : below!.digest(placed, compute)),
      ])
      // Timers and signals wait meanwhile.
      if (hashed > breath) hashed = await setImmediate(0)
    }
    return sumRecords(records, about)
  } catch (cause) {
    if (cause instanceof Ext4Odd) return undefined
    throw cause
  }
}

const breath = 16 * 1024 * 1024

interface Filesystem {
  readonly mount: string
  /** Where it begins on the disk. */
  readonly start: number
  readonly ext4: Ext4
  readonly inodes: ReadonlyMap<number, Inode>
  /** Path under which an inode of more than one name was met first. */
  readonly names: Map<number, string>
}

function openFilesystem(
  source: BlockSource,
  part: { readonly start: number; readonly size: number },
  mount: string,
): Filesystem {
  const ext4 = openExt4(partOf(source, part))
  if (ext4 === undefined) throw new Ext4Odd(`at /${mount} is no ext4`)
  const inodes = new Map(Array.from(ext4.inodes(), (inode) => [inode.number, inode]))
  return { mount, start: part.start, ext4, inodes, names: new Map() }
}

interface Found {
  readonly entry: TarEntry
  /** Of a file. */
  readonly content?: Iterable<Buffer>
  /** Of a file with blocks of its own. */
  readonly place?: () => PlacedFile
}

/** In the order of `tar --sort=name`, on which depends which name of a file is its first. */
function* walk(filesystems: readonly Filesystem[]): Generator<Found> {
  const byMount = new Map(filesystems.map((one) => [one.mount, one]))
  const lost = lostAndFound(filesystems.map(({ mount }) => mount))
  const root = byMount.get('')!
  const pending = [{ path: '', at: root, inode: rootInode }]
  const entered = new Set<Inode>()
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { path, at } = next
    const inode = at.inodes.get(next.inode)
    if (inode === undefined) throw new Ext4Odd(`has an entry for inode ${next.inode}, which is not in use`)
    if (inode.kind !== 'socket' && !lost.has(path)) yield toFound(at, inode, path)
    if (inode.kind !== 'folder') continue
    if (entered.has(inode)) throw new Ext4Odd(`has folder ${inode.number} twice`)
    entered.add(inode)
    const entries = at.ext4.entries(inode).toSorted((one, other) => other.name.compare(one.name))
    for (const { name, inode: number } of entries) {
      const own = name.toString('latin1')
      const inner = path === '' ? own : `${path}/${own}`
      const mounted = byMount.get(inner)
      pending.push(
        mounted === undefined
          ? { path: inner, at, inode: number }
          : { path: inner, at: mounted, inode: rootInode },
      )
    }
  }
}

function toFound(at: Filesystem, inode: Inode, path: string): Found {
  const { ext4, names } = at
  const { number, kind, mode, uid, gid, mtime } = inode
  const common = { path: path === '' ? '.' : path, mode, uid, gid, mtime, size: 0, link: '', device: '' }
  const first = hasNames.has(kind) && inode.links > 1 ? names.get(number) : undefined
  // As tar has it: attributes are the first name's, and each name of a device or a fifo stands alone.
  if (first !== undefined) return { entry: { ...common, type: '1', link: first, attributes: {} } }
  names.set(number, path)
  const entry = { ...common, type: types[kind], attributes: ext4.attributes(inode).named }
  if (kind === 'file') {
    const found = { entry: { ...entry, size: inode.size }, content: ext4.content(inode) }
    return inode.holds === 'extents' ? { ...found, place: () => placeOf(at, inode) } : found
  }
  if (kind === 'link') return { entry: { ...entry, link: ext4.target(inode).toString('latin1') } }
  return { entry: hasDevice.has(kind) ? { ...entry, device: deviceOf(inode).join(':') } : entry }
}

function placeOf({ start, ext4 }: Filesystem, inode: Inode): PlacedFile {
  const extents = ext4.extents(inode).map(({ logical, physical, length }) => ({
    at: logical * ext4.blockSize,
    start: start + physical * ext4.blockSize,
    end: start + (physical + length) * ext4.blockSize,
  }))
  return { size: inode.size, extents }
}

const hasNames: ReadonlySet<InodeKind> = new Set(['file', 'link'])
const hasDevice: ReadonlySet<InodeKind> = new Set(['character', 'block'])

/** Sockets are not archived. */
const types: Readonly<Record<InodeKind, string>> = {
  file: '0',
  link: '2',
  character: '3',
  block: '4',
  folder: '5',
  fifo: '6',
  socket: '',
}
