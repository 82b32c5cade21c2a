import { expect, it } from 'vitest'
import { toFirmware, toUserName, toWholeNumber } from '../../../tasks/commands/machine-options.ts'

it('takes what is meant', () => {
  expect(toFirmware('uefi')).toBe('uefi')
  expect(toUserName('ceph-admin')).toBe('ceph-admin')
  expect(toWholeNumber('--port', 1, 65_535)('65535')).toBe(65_535)
})

it.each<[() => unknown, string, string]>([
  [
    () => toFirmware('efi'),
    '--firmware takes bios or uefi, not efi',
    'write --firmware bios or --firmware uefi',
  ],
  [
    () => toWholeNumber('--memory', 128)('64'),
    '--memory takes a whole number from 128 on, not 64',
    'write --memory 128',
  ],
  [
    () => toWholeNumber('--port', 1, 65_535)('1e3'),
    '--port takes a whole number from 1 to 65535, not 1e3',
    'write --port 1',
  ],
  [
    () => toUserName('root\nPermitEmptyPasswords yes'),
    '--user takes the name of an account, not root\nPermitEmptyPasswords yes',
    'write --user root',
  ],
])('refuses what is not', (run, message, hint) => {
  expect(run).toThrowError(
    expect.objectContaining({ code: 'USAGE', message, fields: expect.objectContaining({ hint }) }),
  )
})
