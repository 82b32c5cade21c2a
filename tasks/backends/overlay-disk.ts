// A parent's disk that can be changed without being copied: a qcow2 overlay on it, which a program of qemu's shows as a
// raw file. Flushes end in the page cache: what a build has not finished is worth nothing, and fsync is half of dpkg.

import { existsSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { ImgError } from '../errors.ts'
import { findProgram } from '../run/find-program.ts'
import { runProgram, type StartedProgram } from '../run/process.ts'
import type { Build } from './namespace-build.ts'
import { Monitor } from './qemu-monitor.ts'

export interface OverlayDisk {
  /** The raw disk, as everything in the session's namespaces sees it. */
  readonly file: string
  /** The qcow2 file, complete when this returns. Nothing may be mounted of the disk any more. */
  close(): Promise<string>
}

/** `chain` is the parent's disk, nearest first. Undefined where it cannot be had: then a copy does as well. */
export async function openOverlayDisk(
  build: Build,
  chain: readonly string[],
): Promise<OverlayDisk | undefined> {
  const [parent] = chain
  const start = build.session.startBeside
  if (parent === undefined || start === undefined || !canOverlay()) return undefined
  const overlay = path.join(build.folders.work, 'disk.qcow2')
  const options = 'extended_l2=on,cluster_size=128k,lazy_refcounts=on'
  const format = chain.length === 1 ? 'raw' : 'qcow2'
  const create = [
    'qemu-img',
    'create',
    '-q',
    '-f',
    'qcow2',
    '-o',
    options,
    '-F',
    format,
    '-b',
    parent,
    overlay,
  ]
  const made = existsSync(overlay) ? undefined : await runProgram(create, { log: build.work.log })
  if (made !== undefined && made.exitCode !== 0) return undefined
  const file = path.join(build.folders.work, 'disk.raw')
  writeFileSync(file, '')
  const program = start(exportArguments(overlay, file), { sockets: 1 })
  const monitor = new Monitor(program.sockets[0]!, () => undefined)
  const isReady = await monitor.execute('qmp_capabilities').then(
    () => true,
    () => false,
  )
  if (isReady) return { file, close: () => endExport(build, { program, monitor, overlay, file }) }
  await program.exited
  for (const one of [overlay, file]) rmSync(one)
  return undefined
}

const canOverlay = (): boolean =>
  existsSync('/dev/fuse') &&
  ['qemu-img', 'qemu-storage-daemon'].every((name) => findProgram(name) !== undefined)

/** What the kernel frees becomes free in the overlay. The monitor is last: when it answers, all the rest is there. */
function exportArguments(overlay: string, file: string): readonly string[] {
  const unmap = { discard: 'unmap', cache: { 'no-flush': true } }
  const storage = { driver: 'file', filename: overlay, 'node-name': 'file', ...unmap }
  const format = { driver: 'qcow2', file: 'file', 'node-name': 'disk', ...unmap }
  const shown = { type: 'fuse', id: 'raw', 'node-name': 'disk', mountpoint: file, writable: true }
  return [
    'qemu-storage-daemon',
    '--blockdev',
    JSON.stringify(storage),
    '--blockdev',
    JSON.stringify({ ...format, 'detect-zeroes': 'unmap' }),
    '--export',
    JSON.stringify({ ...shown, 'allow-other': 'off' }),
    '--chardev',
    'socket,id=monitor,fd=3',
    '--monitor',
    'chardev=monitor',
  ]
}

async function endExport(
  { work }: Build,
  ends: {
    readonly program: StartedProgram
    readonly monitor: Monitor
    readonly overlay: string
    readonly file: string
  },
): Promise<string> {
  // Its answer may be lost with its end, which says the same.
  await ends.monitor.execute('quit').catch(() => undefined)
  const { exitCode, stderr } = await ends.program.exited
  if (exitCode !== 0) {
    throw new ImgError('STEP_FAILED', `layer ${work.layer}: the disk's overlay could not be completed`, {
      layer: work.layer,
      output: stderr.trim(),
      hint: 'build again; if it fails again, see the kernel log for programs that were killed',
    })
  }
  rmSync(ends.file)
  return ends.overlay
}
