// Options that describe a machine, as `run` and `test` take them. Pure.

import type { Firmware } from '../backends/qemu-arguments.ts'
import { ImgError } from '../errors.ts'

export function toFirmware(value: string): Firmware['kind'] {
  if (value === 'bios' || value === 'uefi') return value
  throw new ImgError('USAGE', `--firmware takes bios or uefi, not ${value}`, {
    hint: 'write --firmware bios or --firmware uefi',
    found: value,
    validOptions: ['bios', 'uefi'],
  })
}

export const toWholeNumber =
  (option: string, least: number, most = Number.MAX_SAFE_INTEGER) =>
  (value: string): number => {
    const number = Number(value)
    if (/^\d+$/.test(value) && number >= least && number <= most) return number
    const range = most === Number.MAX_SAFE_INTEGER ? `from ${least} on` : `from ${least} to ${most}`
    throw new ImgError('USAGE', `${option} takes a whole number ${range}, not ${value}`, {
      hint: `write ${option} ${least}`,
      found: value,
    })
  }

/** It becomes part of a configuration file. */
export function toUserName(value: string): string {
  if (/^[a-z_][a-z0-9_.-]{0,31}$/i.test(value)) return value
  throw new ImgError('USAGE', `--user takes the name of an account, not ${value}`, {
    hint: 'write --user root',
    found: value,
  })
}
