// A parent's disk, copied, with its filesystems mounted where its own fstab says. `mount -o loop` frees the loop device
// with the last mount, so the end of the namespace, however it comes, leaves none.

import path from 'node:path'
import { ImgError } from '../errors.ts'
import { inspectDisk, isMountable, type DiskPart } from './disk-inspect.ts'
import { runOnHost, type Build } from './namespace-build.ts'

export interface MountedDisk {
  readonly file: string
  readonly parts: readonly DiskPart[]
  /** Mounted filesystems in the order they were mounted, by path below the tree: `''` first. */
  readonly mounts: readonly { readonly part: DiskPart; readonly mount: string }[]
}

export async function copyDisk(build: Build, parentDisk: string): Promise<string> {
  const file = path.join(build.folders.work, 'disk.raw')
  await runOnHost(build, ['cp', '--reflink=auto', '--sparse=always', '--', parentDisk, file], {
    what: "copying the parent's disk",
  })
  await runOnHost(build, ['chmod', '0600', file], { what: "copying the parent's disk" })
  return file
}

/** Where a disk is mounted, and whether only to be read: a journal is left alone then. */
export interface MountPlace {
  readonly tree: string
  readonly readOnly: boolean
  /** Block device of a part, where the disk is one; else a loop device on its file. */
  readonly deviceOf?: (part: DiskPart) => string
  /** Read already, where the session's machine cannot. */
  readonly parts?: readonly DiskPart[]
}

export async function mountDisk(
  build: Build,
  file: string,
  place: MountPlace = { tree: build.folders.tree, readOnly: false },
): Promise<MountedDisk> {
  const parts = place.parts ?? (await inspectDisk(build, file))
  const candidates = parts.filter(isMountable)
  const waiting = new Map<DiskPart, string>()
  for (const [index, part] of candidates.entries()) {
    const at = path.join(build.folders.work, 'mounts', `filesystem-${index}`)
    const access = place.readOnly ? readOnlyOptions[part.kind] : 'noatime,discard'
    const device = place.deviceOf?.(part)
    const loop = device === undefined ? `loop,offset=${part.start},sizelimit=${part.size},` : ''
    await runOnHost(build, ['mkdir', '-p', at], { what: 'making a mount point' })
    await runOnHost(build, ['mount', '-t', part.kind, '-o', `${loop}${access}`, '--', device ?? file, at], {
      what: `mounting the ${part.kind} filesystem at byte ${part.start} of the parent's disk`,
    })
    waiting.set(part, at)
  }
  const root = await findRoot(build, waiting)
  const mounts: { part: DiskPart; mount: string }[] = []
  const settle = async (part: DiskPart, mount: string): Promise<void> => {
    const from = waiting.get(part) ?? ''
    await runOnHost(build, ['mount', '--move', from, path.join(place.tree, mount)], {
      what: `mounting /${mount} of the image`,
    })
    waiting.delete(part)
    mounts.push({ part, mount })
  }
  await runOnHost(build, ['mkdir', '-p', place.tree], { what: 'making a mount point' })
  await settle(root, '')
  for (const { source, mount } of await readFstab(build, place.tree)) {
    const part = [...waiting.keys()].find((one) => sourcesOf(one).includes(source))
    if (part !== undefined) await settle(part, mount)
  }
  for (const at of waiting.values()) await runOnHost(build, ['umount', at], { what: 'unmounting' })
  return { file, parts, mounts }
}

/** Everything is written to the file, and no loop device holds it, when this returns. */
export async function unmountDisk(build: Build, disk: MountedDisk): Promise<void> {
  for (const { mount } of disk.mounts) {
    // What the kernel could not write it says here and nowhere else.
    await runOnHost(build, ['sync', '--file-system', path.join(build.folders.tree, mount)], {
      what: `writing /${mount} of the image`,
    })
  }
  await unmountImage(build)
  const script = `
file=$1
# The kernel lets a loop device go a moment after its last mount.
turns=0
while [ -n "$(losetup --noheadings --output NAME --associated "$file")" ]; do
  turns=$((turns + 1))
  test $turns -lt 300 || { echo "a loop device still holds $file" >&2; exit 1; }
  sleep 0.1
done
`
  await runOnHost(build, ['sh', '-euc', script, 'sh', disk.file], { what: 'unmounting the image' })
}

/** The image's filesystems and everything that was mounted for its steps. */
export async function unmountImage(build: Build): Promise<void> {
  const { tools, image, tree } = build.folders
  const script = 'for root; do while mountpoint -q "$root"; do umount -R "$root"; done; done'
  await runOnHost(build, ['sh', '-euc', script, 'sh', tools, image, tree], { what: 'unmounting the image' })
}

/** Ends what steps left running: a filesystem with a running program cannot be unmounted. */
export async function endProcesses(build: Build): Promise<void> {
  await build.session.run(['sh', '-c', 'kill -KILL -1 2>/dev/null; :'], { quiet: true })
}

async function findRoot(build: Build, mounted: ReadonlyMap<DiskPart, string>): Promise<DiskPart> {
  for (const [part, at] of mounted) {
    const looksLikeRoot = ['test', '-e', `${at}/etc/passwd`, '-a', '-d', `${at}/usr`]
    const { exitCode } = await build.session.run(looksLikeRoot, { quiet: true })
    if (exitCode === 0) return part
  }
  const kinds = [...mounted.keys()].map(({ kind }) => kind).join(', ')
  throw new ImgError('BACKEND_UNAVAILABLE', `no filesystem of the parent's disk holds a root (${kinds})`, {
    layer: build.work.layer,
    hint: 'a root on LVM, RAID, btrfs or an encrypted volume needs the libguestfs backend',
  })
}

async function readFstab(
  build: Build,
  tree: string,
): Promise<readonly { readonly source: string; readonly mount: string }[]> {
  const { stdout } = await build.session.run(['cat', path.join(tree, 'etc/fstab')], {
    quiet: true,
  })
  const entries = stdout.split('\n').flatMap((line) => {
    const [source, mount] = line.trim().split(/\s+/)
    if (source === undefined || source.startsWith('#') || mount === undefined || !/^\/./.test(mount))
      return []
    return [{ source: source.replaceAll('"', ''), mount: mount.slice(1).replace(/\/+$/, '') }]
  })
  // `/var` before `/var/log`.
  return entries.toSorted((one, other) => one.mount.split('/').length - other.mount.split('/').length)
}

/** What keeps a kernel from writing to a disk it may not change. */
const readOnlyOptions: Readonly<Record<string, string>> = { ext4: 'ro,noload', xfs: 'ro,norecovery,nouuid' }

const sourcesOf = (part: DiskPart): readonly string[] => [
  `UUID=${part.uuid}`,
  `LABEL=${part.label}`,
  `PARTUUID=${part.partUuid}`,
  `PARTLABEL=${part.partLabel}`,
  `/dev/disk/by-uuid/${part.uuid}`,
  `/dev/disk/by-label/${part.label}`,
  `/dev/disk/by-partuuid/${part.partUuid}`,
  `/dev/disk/by-partlabel/${part.partLabel}`,
]
