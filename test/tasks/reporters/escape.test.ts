import { assert, property, string } from 'fast-check'
import { expect, test } from 'vitest'
import { escapeControls, outputLines } from '../../../tasks/reporters/escape.ts'

test('control characters are shown, text is left', () => {
  expect(escapeControls('a\tb\nc\u0000\u001b[2J\u007f\u009b \u202eé😀')).toBe(
    'a\tb\nc\\x00\\x1b[2J\\x7f\\x9b \\u202eé😀',
  )
})

test('whatever comes in, nothing that moves a cursor comes out', () => {
  // oxlint-disable-next-line no-control-regex -- what must not come out
  const steering = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/
  const harmless = property(string({ unit: 'binary' }), (text) => !steering.test(escapeControls(text)))
  expect(() => assert(harmless)).not.toThrow()
})

test('output is shown as a terminal would leave it, without colours', () => {
  expect(outputLines('10%\r50%\r100%\r\n\u001b[1;31mE:\u001b[0m no\n\n')).toEqual(['100%', 'E: no'])
  expect(outputLines('')).toEqual([])
})
