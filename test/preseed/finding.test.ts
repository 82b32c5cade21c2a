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

test('several errors are listed, those about the whole file without a line', () => {
  const errors = [0, 7].map((line) => ({ severity: 'error' as const, line, message: `m${line}`, hint: 'h' }))
  expect(() => refuseErrors(errors, 'a')).toThrow(
    expect.objectContaining({
      message: '2 errors in the answer file:\n  m0 (h)\n  line 7: m7 (h)',
      fields: { hint: 'correct them in the file', path: 'a' },
    }),
  )
})
