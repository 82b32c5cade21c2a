// Writes a disk beside its final name, checks it, and renames: the name never holds half a disk.

import { randomUUID } from 'node:crypto'
import { open, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { RunContext } from '../context.ts'
import { ImgError } from '../errors.ts'
import { runProgram } from './process.ts'

export type DiskFormat = 'raw' | 'qcow2'

export interface DiskExport {
  /** A raw file; only read. */
  readonly disk: string
  readonly to: string
  readonly format: DiskFormat
  readonly compress: boolean
}

export interface ExportedDisk {
  /** Bytes the machine sees. */
  readonly size: number
  /** Bytes the file takes. */
  readonly allocated: number
}

export async function exportDisk(wanted: DiskExport, context: RunContext): Promise<ExportedDisk> {
  const temporary = join(dirname(wanted.to), `.img-export-${randomUUID()}`)
  try {
    await write(wanted, temporary, context)
    const size = await diskSize(wanted, temporary, context)
    const expected = (await stat(wanted.disk)).size
    if (size !== expected) {
      throw new ImgError('DISK_FULL', `${wanted.to} came out with ${size} bytes instead of ${expected}`, {
        hint: 'check the file system it is written to',
        path: wanted.to,
      })
    }
    await sync(temporary)
    const { blocks } = await stat(temporary)
    await rename(temporary, wanted.to)
    return { size, allocated: blocks * 512 }
  } catch (error) {
    throw error instanceof ImgError ? error : writeError(wanted.to, error)
  } finally {
    await rm(temporary, { force: true })
  }
}

async function sync(file: string): Promise<void> {
  const handle = await open(file, 'r+')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function write(wanted: DiskExport, to: string, context: RunContext): Promise<void> {
  const convert = ['qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', ...(wanted.compress ? ['-c'] : [])]
  const copy = ['cp', '--sparse=always', '--reflink=auto', '--no-preserve=mode', '--']
  const argv = [...(wanted.format === 'raw' ? copy : convert), wanted.disk, to]
  const { exitCode, stderr } = await runProgram(argv, {
    env: { LC_ALL: 'C.UTF-8' },
    signal: context.signal,
  })
  if (exitCode !== 0) throw writeError(wanted.to, stderr)
}

async function diskSize(wanted: DiskExport, file: string, context: RunContext): Promise<number> {
  if (wanted.format === 'raw') return (await stat(file)).size
  const { stdout } = await runProgram(['qemu-img', 'info', '--output=json', '-f', 'qcow2', file], {
    signal: context.signal,
  })
  const info = JSON.parse(stdout) as { 'virtual-size'?: number }
  return info['virtual-size'] ?? 0
}

function writeError(to: string, reason: unknown): ImgError {
  const said = (reason instanceof Error ? reason.message : String(reason)).trim()
  const full = /ENOSPC|No space left/.test(said)
  return new ImgError(full ? 'DISK_FULL' : 'PERMISSION', `cannot write ${to}`, {
    hint: full
      ? 'make room, or write to another file system'
      : 'check that the folder exists and may be written',
    path: to,
    output: said,
  })
}
