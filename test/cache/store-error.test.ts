// What comes up while the store works, as it is told.

import { expect, test } from 'vitest'
import { toStoreError } from '../../cache/store-error.ts'
import { ImgError } from '../../tasks/errors.ts'

const dir = '/cache'
const told = (cause: unknown): Error => toStoreError(cause, 'storing disk.raw', dir)
const systemError = (code: string): Error => Object.assign(new Error(`${code}: said so, write`), { code })

test.each([
  ['ENOSPC', 'DISK_FULL', /^no space left while storing disk\.raw: .* free in \/cache$/],
  ['EROFS', 'CACHE_UNWRITABLE', /^cannot write to \/cache while storing disk\.raw: EROFS: said so, write$/],
  [
    'EIO',
    'CACHE_UNWRITABLE',
    /^the file system of \/cache failed while storing disk\.raw: EIO: said so, write$/,
  ],
])('%s is what the file system refuses', (code, wanted, message) => {
  expect(told(systemError(code))).toMatchObject({ code: wanted, message: expect.stringMatching(message) })
})

test('what the store says of itself is damage', () => {
  expect(told(new Error('the footer of pack 1 is missing'))).toMatchObject({
    code: 'CACHE_DAMAGED',
    message: '/cache is damaged, seen while storing disk.raw: the footer of pack 1 is missing',
    fields: { path: dir, hint: 'run `img cache repair`, then the command again' },
  })
})

test.each([
  new TypeError('x is not a function'),
  new RangeError('Invalid array length'),
  Object.assign(new Error('The stream was destroyed'), { code: 'ERR_STREAM_DESTROYED' }),
  new ImgError('INTERRUPTED', 'interrupted'),
])('what is neither stays as it is: %s', (cause) => {
  expect(told(cause)).toBe(cause)
})
