// What a machine needs on disk: a throw-away overlay of the image, and firmware with variables of its own.

import { copyFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ImgError } from '../errors.ts'
import { runProgram } from '../run/process.ts'
import type { Firmware } from './qemu-arguments.ts'

/** An overlay in the folder; the disk below it is never written. */
export async function makeOverlay(
  disk: string,
  directory: string,
  environment: { readonly path?: string; readonly signal?: AbortSignal } = {},
): Promise<string> {
  const overlay = join(directory, 'overlay.qcow2')
  const { exitCode, stderr } = await runProgram(
    ['qemu-img', 'create', '-q', '-f', 'qcow2', '-F', 'raw', '-b', disk, overlay],
    {
      ...(environment.path === undefined ? {} : { env: { PATH: environment.path } }),
      ...(environment.signal === undefined ? {} : { signal: environment.signal }),
    },
  )
  if (exitCode !== 0) {
    throw new ImgError('BACKEND_UNAVAILABLE', `cannot make an overlay of ${disk}`, {
      hint: 'look at what qemu-img says',
      path: overlay,
      output: stderr,
    })
  }
  return overlay
}

export async function prepareFirmware(
  kind: Firmware['kind'],
  directory: string,
  candidates: readonly (readonly [code: string, variables: string])[] = ovmf,
): Promise<Firmware> {
  if (kind === 'bios') return { kind }
  const found = candidates.find((files) => files.every((file) => existsSync(file)))
  if (found === undefined) {
    throw new ImgError('TOOL_MISSING', 'no UEFI firmware for virtual machines is installed', {
      hint: 'apt-get install ovmf',
      validOptions: candidates.map(([code]) => code),
    })
  }
  const variables = join(directory, 'variables.fd')
  await copyFile(found[1], variables)
  return { kind, code: found[0], variables }
}

const ovmf = [
  ['/usr/share/OVMF/OVMF_CODE_4M.fd', '/usr/share/OVMF/OVMF_VARS_4M.fd'],
  ['/usr/share/OVMF/OVMF_CODE.fd', '/usr/share/OVMF/OVMF_VARS.fd'],
  ['/usr/share/edk2/ovmf/OVMF_CODE.fd', '/usr/share/edk2/ovmf/OVMF_VARS.fd'],
  ['/usr/share/edk2/x64/OVMF_CODE.4m.fd', '/usr/share/edk2/x64/OVMF_VARS.4m.fd'],
] as const
