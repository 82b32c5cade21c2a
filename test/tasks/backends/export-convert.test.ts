import { expect, test } from 'vitest'
import { withContentId } from '../../../tasks/backends/export-convert.ts'

const start = (id: string): Buffer => {
  const bytes = Buffer.alloc(512)
  bytes.write(`KDMV\nparentCID=ffffffff\nCID=${id}\ncreateType="streamOptimized"\n`)
  return bytes
}

test.each(['466a1ec9', '66a1ec9', '9'])('the content id %s is replaced, not that of a parent', (id) => {
  expect(withContentId(start(id), '01234567').equals(start('01234567'))).toBe(true)
})

test('a file without one is no VMDK of qemu-img', () => {
  expect(() => withContentId(Buffer.from('QFI'), '01234567')).toThrow(
    'qemu-img wrote a VMDK without content id',
  )
})
