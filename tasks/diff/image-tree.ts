// The files of a disk image, read from its blocks: no mount, no root, no program of the host.

import { closeSync, openSync, readSync } from 'node:fs'
import { noSource, openRawSource, partOf, type BlockSource } from '../../cache/block-source.ts'
import type { Inode } from '../../cache/ext4/inode.ts'
import { deviceOf } from '../../cache/ext4/inode.ts'
import { openExt4, rootInode, type Ext4 } from '../../cache/ext4/open-ext4.ts'
import { readPartitions } from '../../cache/partition-table.ts'
import { openQcow2 } from '../../cache/qcow2.ts'
import { ImgError } from '../errors.ts'
import type { ImageEntry, ImageTree, ImagePart } from './tree.ts'

export interface OpenImage extends ImageTree {
  close(): void
}

/** A raw or qcow2 file. Throws INPUT_INVALID when no filesystem in it can be read as a root. */
export function openImage(path: string): OpenImage {
  const source = openSource(path)
  try {
    const parts: Part[] = readPartitions(source).map(({ start, size }) => openPart(source, { start, size }))
    const root = parts.find(({ ext4 }) => ext4 !== undefined && hasRoot(ext4))
    if (root?.ext4 === undefined) throw noRoot(path)
    const entries = new Map<string, ImageEntry>()
    const mounts = mountsOf(parts, { ...root, ext4: root.ext4 })
    for (const { mount, ext4 } of mounts) walk(ext4, mount, entries)
    return {
      entries,
      size: source.size,
      parts: parts.map(({ ext4: _ext4, ...part }) => part),
      bootCode: bootCodeOf(source),
      close: () => source.close(),
    }
  } catch (error) {
    source.close()
    if (error instanceof ImgError) throw error
    throw new ImgError('INPUT_INVALID', `cannot read ${path}: its filesystem ${(error as Error).message}`, {
      path,
      hint: 'shut the machine of the image down, or check it with e2fsck',
      cause: error,
    })
  }
}

interface Part extends ImagePart {
  readonly ext4: Ext4 | undefined
}

function openSource(path: string): BlockSource {
  const qcow2 = readQcow2(path)
  if (qcow2 === undefined) return openRawSource(path)
  if (qcow2.below) {
    throw new ImgError(
      'INPUT_INVALID',
      `${path} is an overlay, and holds only what differs from another image`,
      {
        path,
        hint: `make it whole: qemu-img convert -O raw ${path} disk.raw`,
      },
    )
  }
  try {
    return openQcow2(path, noSource)
  } catch (cause) {
    throw new ImgError('INPUT_INVALID', `cannot read ${path}: the overlay ${(cause as Error).message}`, {
      path,
      hint: `make it plain: qemu-img convert -O raw ${path} disk.raw`,
      cause,
    })
  }
}

/** Whether it has a backing file; undefined when it is no qcow2 file. */
function readQcow2(path: string): { readonly below: boolean } | undefined {
  const descriptor = openSync(path, 'r')
  try {
    const head = Buffer.alloc(16)
    readSync(descriptor, head, 0, 16, 0)
    return head.toString('latin1', 0, 4) === 'QFI\u00fb'
      ? { below: head.readBigUInt64BE(8) !== 0n }
      : undefined
  } finally {
    closeSync(descriptor)
  }
}

function openPart(source: BlockSource, range: { readonly start: number; readonly size: number }): Part {
  const part = partOf(source, range)
  const ext4 = openExt4(part)
  const head = Buffer.alloc(1024)
  part.read(1024, head)
  if (ext4 === undefined) {
    const kind = kindOf(part)
    const read =
      kind === 'swap' ? {} : { read: (position: number, into: Buffer) => part.read(position, into) }
    return { ...range, kind, uuid: '', label: '', ext4, ...read }
  }
  const uuid = head.toString('hex', 0x68, 0x78).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
  const label = head.toString('latin1', 0x78, 0x88).replace(/\0.*$/s, '')
  return { ...range, kind: 'ext4', uuid, label, ext4 }
}

/** Only to be named: what is not ext4 is compared byte by byte. */
function kindOf(part: BlockSource): string {
  const head = Buffer.alloc(4096)
  part.read(0, head)
  if (head.toString('latin1', 0, 4) === 'XFSB') return 'xfs'
  if (head.toString('latin1', 4086, 4096) === 'SWAPSPACE2') return 'swap'
  return head.toString('latin1', 82, 87) === 'FAT32' || head.toString('latin1', 54, 57) === 'FAT'
    ? 'vfat'
    : ''
}

/** Before the partition table, which is compared as partitions. */
function bootCodeOf(source: BlockSource): string {
  const code = Buffer.alloc(440)
  source.read(0, code)
  return code.toString('hex')
}

function hasRoot(ext4: Ext4): boolean {
  const names = namesIn(ext4, ext4.inode(rootInode))
  return names.has('etc') && names.has('usr')
}

function namesIn(ext4: Ext4, folder: Inode): ReadonlyMap<string, number> {
  return new Map(ext4.entries(folder).map(({ name, inode }) => [nameOf(name), inode]))
}

/** The filesystems where the root's own fstab puts them, root first. */
function mountsOf(
  parts: readonly Part[],
  root: Part & { readonly ext4: Ext4 },
): readonly { readonly mount: string; readonly ext4: Ext4 }[] {
  const mounts = [{ mount: '', ext4: root.ext4 }]
  for (const line of readText(root.ext4, 'etc', 'fstab').split('\n')) {
    const [source = '', mount = ''] = line.trim().split(/\s+/)
    const part = parts.find(
      ({ uuid, label }) =>
        (uuid !== '' && source === `UUID=${uuid}`) || (label !== '' && source === `LABEL=${label}`),
    )
    if (part?.ext4 !== undefined && part.start !== root.start && mount.startsWith('/'))
      mounts.push({ mount: mount.slice(1).replace(/\/+$/, ''), ext4: part.ext4 })
  }
  return mounts.toSorted((one, other) => one.mount.length - other.mount.length)
}

function readText(ext4: Ext4, ...path: readonly string[]): string {
  let inode: Inode | undefined = ext4.inode(rootInode)
  for (const name of path) {
    const number: number | undefined =
      inode === undefined || inode.kind !== 'folder' ? undefined : namesIn(ext4, inode).get(name)
    inode = number === undefined ? undefined : ext4.inode(number)
  }
  if (inode?.kind !== 'file') return ''
  return Buffer.concat([...ext4.content(inode)].map((part) => Buffer.from(part))).toString()
}

/** Without recursion, and each folder once: a damaged tree may contain itself. */
function walk(ext4: Ext4, mount: string, entries: Map<string, ImageEntry>): void {
  const pending = [{ path: mount, inode: ext4.inode(rootInode) }]
  const entered = new Set<number>()
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    if (at.path !== '') entries.set(at.path, toEntry(ext4, at.path, at.inode))
    if (at.inode.kind !== 'folder' || entered.has(at.inode.number)) continue
    entered.add(at.inode.number)
    for (const { name, inode } of ext4.entries(at.inode)) {
      const inner = nameOf(name)
      if (inner === 'lost+found' && at.path === mount) continue
      pending.push({ path: at.path === '' ? inner : `${at.path}/${inner}`, inode: ext4.inode(inode) })
    }
  }
}

function toEntry(ext4: Ext4, path: string, inode: Inode): ImageEntry {
  const { kind, mode, uid, gid, mtime } = inode
  return {
    path,
    kind,
    mode,
    uid,
    gid,
    mtime,
    size: kind === 'file' ? inode.size : 0,
    attributes: ext4.attributes(inode).named,
    ...(kind === 'link' ? { target: nameOf(ext4.target(inode)) } : {}),
    ...(kind === 'character' || kind === 'block' ? { device: deviceOf(inode).join(':') } : {}),
    content: () => (kind === 'file' ? ext4.content(inode) : [][Symbol.iterator]()),
  }
}

/** A name that is no UTF-8 is kept byte by byte. */
function nameOf(name: Buffer): string {
  const text = name.toString()
  return Buffer.from(text).equals(name) ? text : name.toString('latin1')
}

function noRoot(path: string): ImgError {
  return new ImgError('INPUT_INVALID', `${path} holds no ext4 filesystem with a root in it`, {
    path,
    hint: 'only ext4 in raw and plain qcow2 images is read; convert others with qemu-img, or mount them and use diffoscope',
  })
}
