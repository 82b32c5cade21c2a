import { expect, test } from 'vitest'
import { refuseErrors } from '../../preseed/finding.ts'

test('warnings do not stop anything', () => {
  expect(() => refuseErrors([{ severity: 'warning', line: 1, message: 'm', hint: 'h' }], 'a')).not.toThrow()
})

test('an error about the whole file has no line', () => {
  expect(() => refuseErrors([{ severity: 'error', line: 0, message: 'm', hint: 'h' }], 'a')).toThrow(
    expect.objectContaining({ code: 'PRESEED_INVALID', message: 'm', fields: { hint: 'h', path: 'a' } }),
  )
})
