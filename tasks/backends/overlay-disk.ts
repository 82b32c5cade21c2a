// A parent's disk that can be changed without being copied: a qcow2 overlay on it, which a program of qemu's shows as a
// raw file. Flushes end in the page cache: what a build has not finished is worth nothing, and fsync is half of dpkg.
// The program has mounts of its own, which the build's begin with: if it were among those that hold the build's, its end
// would unmount filesystems that wait for it.

import { existsSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { ImgError } from '../errors.ts'
import { findProgram } from '../run/find-program.ts'
import { runProgram, startProgram, type StartedProgram } from '../run/process.ts'
import type { Work } from './backend.ts'
import { Monitor } from './qemu-monitor.ts'

export interface OverlayDisk {
  /** The raw disk, as whoever has the mounts of `pid` sees it. */
  readonly file: string
  readonly pid: number
  /** The qcow2 file and what it is on, nearest first. */
  readonly chain: readonly string[]
  /** Called when its program ends by itself, which only the kernel or an administrator makes it do. */
  onLost(react: () => void): void
  /** The qcow2 file is complete when this returns. Nothing may be mounted of the disk any more. */
  complete(): Promise<void>
  /** Whatever happened; does nothing after `complete`. */
  end(): Promise<void>
}

/** Of an overlay's file, in bytes; a cluster has 32 parts that can be holes. */
export const overlayCluster: number = 128 * 1024

/** Undefined where it is not asked for, or cannot be had: then a copy does as well. */
export async function openOverlayDisk(work: Work): Promise<OverlayDisk | undefined> {
  const { parentDisk, parentBelow, directory, log } = work
  if (parentDisk === undefined || parentBelow === undefined || !canOverlay()) return undefined
  const overlay = path.join(directory, 'disk.qcow2')
  const options = `extended_l2=on,cluster_size=${overlayCluster},lazy_refcounts=on`
  const below = ['-F', parentBelow.length === 0 ? 'raw' : 'qcow2', '-b', parentDisk]
  const create = ['qemu-img', 'create', '-q', '-f', 'qcow2', '-o', options, ...below, overlay]
  const { exitCode } = await runProgram(create, { log })
  if (exitCode !== 0) return undefined
  const file = path.join(directory, 'disk.raw')
  writeFileSync(file, '')
  const alone = ['unshare', '--mount', '--propagation', 'private', '--']
  const program = startProgram([...alone, ...exportArguments(overlay, file)], { sockets: 1 })
  const monitor = new Monitor(program.sockets[0]!, () => undefined)
  const isReady = await monitor.execute('qmp_capabilities').then(
    () => true,
    () => false,
  )
  if (!isReady) {
    program.kill('SIGKILL')
    await program.exited
    for (const one of [overlay, file]) rmSync(one, { force: true })
    return undefined
  }
  let isWanted = true
  return {
    file,
    pid: program.pid,
    onLost: (react) => void program.exited.then(() => isWanted && react()),
    chain: [overlay, parentDisk, ...parentBelow],
    async complete() {
      isWanted = false
      await endExport(work, program, monitor)
      rmSync(file)
    },
    async end() {
      isWanted = false
      program.kill('SIGKILL')
      await program.exited
    },
  }
}

const canOverlay = (): boolean =>
  existsSync('/dev/fuse') &&
  ['qemu-img', 'qemu-storage-daemon'].every((name) => findProgram(name) !== undefined)

/** What the kernel frees becomes free in the overlay. The monitor is last: when it answers, all the rest is there. */
function exportArguments(overlay: string, file: string): readonly string[] {
  const unmap = { discard: 'unmap', cache: { 'no-flush': true } }
  const storage = { driver: 'file', filename: overlay, 'node-name': 'file', ...unmap }
  const format = { driver: 'qcow2', file: 'file', 'node-name': 'disk', 'detect-zeroes': 'unmap', ...unmap }
  const shown = { type: 'fuse', id: 'raw', 'node-name': 'disk', mountpoint: file, writable: true }
  return [
    'qemu-storage-daemon',
    '--blockdev',
    JSON.stringify(storage),
    '--blockdev',
    JSON.stringify(format),
    '--export',
    JSON.stringify({ ...shown, 'allow-other': 'off' }),
    '--chardev',
    'socket,id=monitor,fd=3',
    '--monitor',
    'chardev=monitor',
  ]
}

async function endExport({ layer }: Work, program: StartedProgram, monitor: Monitor): Promise<void> {
  // Its answer may be lost with its end, which says the same.
  await monitor.execute('quit').catch(() => undefined)
  const { exitCode, stderr } = await program.exited
  if (exitCode === 0) return
  throw new ImgError('STEP_FAILED', `layer ${layer}: the disk's overlay could not be completed`, {
    layer,
    output: stderr.trim(),
    hint: 'build again; if it fails again, see the kernel log for programs that were killed',
  })
}
