import { expect, test } from 'vitest'
import { contentIdAt } from '../../../tasks/backends/export-convert.ts'

test('the content id is found, and not that of a parent', () => {
  const descriptor =
    '# Disk DescriptorFile\nversion=1\nparentCID=ffffffff\nCID=466a1ec9\ncreateType="streamOptimized"\n'
  const start = Buffer.concat([Buffer.from('KDMV\0\0'), Buffer.alloc(506), Buffer.from(descriptor)])
  const at = contentIdAt(start)
  expect(start.toString('latin1', at, at + 8)).toBe('466a1ec9')
})

test('a file without one is no VMDK of qemu-img', () => {
  expect(() => contentIdAt(Buffer.from('QFI'))).toThrow('qemu-img wrote a VMDK without content id')
})
