// What a build sees as its root: the tool tree read-only with the work folder in it, and the image with a /proc,
// /dev, /run and /tmp of its own. All of it lives and dies with the session's mount namespace.

import path from 'node:path'
import { ImgError } from '../errors.ts'
import type { NamespaceSession } from './namespace-session.ts'

export interface Folders {
  /** Work.directory. */
  readonly work: string
  /** The image's files and nothing else: what is sealed, digested and made into a disk. */
  readonly tree: string
  /** The same files with the mounts a chroot needs. */
  readonly image: string
  /** The tool tree with the work folder at `workInTools`. */
  readonly tools: string
}

const workInTools = '/run/img/work'
/** The image with its mounts, as programs of the tool tree see it. */
export const imageInTools = '/run/img/image'

export const makeFolders = (work: string): Folders => ({
  work,
  tree: path.join(work, 'tree'),
  image: path.join(work, 'mounts', 'image'),
  tools: path.join(work, 'mounts', 'tools'),
})

/** Where programs of the tool tree find a path of the work folder. */
export function insideTools(folders: Folders, hostPath: string): string {
  return path.join(workInTools, path.relative(folders.work, hostPath))
}

/** A folder of the work folder where programs of the image leave what is not part of it. */
export const outFolder = (folders: Folders): string => path.join(folders.work, 'out')
export const outInImage = '/run/img/out'

export async function mountTools(session: NamespaceSession, folders: Folders, tools: string): Promise<void> {
  await mountBy(session, toolsScript, [tools, folders.tools, folders.work])
}

/** Lazily: in a user namespace what came with the machine's /dev goes with the tree it is in, or not at all. */
export async function unmountTools(session: NamespaceSession, { tools }: Folders): Promise<void> {
  await mountBy(session, 'umount --lazy "$1"', [tools])
}

/** The filesystems of `tree` must be mounted already: they are bound into `image` as they are now; and `tools`. */
export async function mountImage(
  session: NamespaceSession,
  folders: Folders,
  shared: {
    readonly tools: string | undefined
    readonly inputs: Readonly<Record<string, string>>
  },
): Promise<void> {
  await mountBy(session, imageScript, [folders.tree, folders.image, outFolder(folders)])
  if (shared.tools !== undefined) {
    await mountBy(session, bindScript, [shared.tools, path.join(folders.image, 'run/img/tools')])
  }
  for (const [name, source] of Object.entries(shared.inputs)) {
    await mountBy(session, bindScript, [source, path.join(folders.image, inputInImage(name))])
  }
  // Mounts made after a bind are not seen through it, so the image is bound when it is complete.
  await mountBy(session, lendScript, [folders.image, folders.tools])
}

/** Where the steps of an image find a staged input. */
export const inputInImage = (name: string): string => `/run/img/inputs/${encodeURIComponent(name)}`

/** `/run/img/apt` of a root becomes this folder, instead of what it was before. */
export async function mountApt(
  session: NamespaceSession,
  access: { readonly root: string; readonly folder: string },
): Promise<void> {
  await mountBy(session, aptScript, [access.folder, path.join(access.root, 'run/img/apt')])
}

async function mountBy(session: NamespaceSession, script: string, args: readonly string[]): Promise<void> {
  const result = await session.run(['sh', '-euc', script, 'sh', ...args])
  if (result.exitCode === 0) return
  throw new ImgError('BACKEND_UNAVAILABLE', 'cannot change the mounts of a build', {
    hint: 'run `img doctor`; inside a container the capability SYS_ADMIN is needed',
    output: result.stderr.trim(),
  })
}

// A remount in a user namespace must repeat flags that are locked; there the tree belongs to other ids anyway.
const toolsScript = `
tools=$1 at=$2 work=$3
mkdir -p "$at"
mount --bind "$tools" "$at"
mount -o remount,bind,ro "$at" || test "$(cut -d' ' -f2 /proc/self/uid_map | tr -d ' ')" != 0
mount -t tmpfs -o mode=0755,nosuid,nodev tmpfs "$at/run"
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$at/tmp"
mount -t proc -o nosuid,nodev,noexec proc "$at/proc"
mount --rbind /dev "$at/dev"
mkdir -p "$at/run/img/work" "$at/run/img/apt"
mount --rbind "$work" "$at/run/img/work"
if [ -e /etc/resolv.conf ] && [ -e "$at/etc/resolv.conf" ]; then mount --bind /etc/resolv.conf "$at/etc/resolv.conf"; fi
`

// No /sys: maintainer scripts would look at the hardware of the machine that builds.
const imageScript = `
tree=$1 at=$2 out=$3
mkdir -p "$at" "$out"
mount --rbind "$tree" "$at"
mount -t proc -o nosuid,nodev,noexec proc "$at/proc"
mount -t tmpfs -o mode=0755,nosuid tmpfs "$at/dev"
for node in null zero full random urandom tty; do : >"$at/dev/$node"; mount --bind "/dev/$node" "$at/dev/$node"; done
mkdir -m 0755 "$at/dev/pts"
mkdir -m 1777 "$at/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,nosuid,noexec devpts "$at/dev/pts"
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$at/dev/shm"
ln -s pts/ptmx "$at/dev/ptmx"
ln -s /proc/self/fd "$at/dev/fd"
ln -s fd/0 "$at/dev/stdin"
ln -s fd/1 "$at/dev/stdout"
ln -s fd/2 "$at/dev/stderr"
mount -t tmpfs -o mode=0755,nosuid,nodev tmpfs "$at/run"
mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$at/tmp"
mkdir -m 1777 "$at/run/lock"
mkdir -p "$at/run/img/apt" "$at/run/img/out"
mount --bind "$out" "$at/run/img/out"
`

const bindScript = `
if [ -d "$1" ]; then mkdir -p "$2"; else mkdir -p "\${2%/*}"; : >"$2"; fi
mount --bind "$1" "$2"
mount -o remount,bind,ro "$2" || test "$(cut -d' ' -f2 /proc/self/uid_map | tr -d ' ')" != 0
`

const lendScript = `
mkdir "$2/run/img/image"
mount --rbind "$1" "$2/run/img/image"
`

const aptScript = `
umount "$2" 2>/dev/null || true
mount --bind "$1" "$2"
`
