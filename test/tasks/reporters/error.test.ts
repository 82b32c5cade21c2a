import { describe, expect, test } from 'vitest'
import { ImgError } from '../../../tasks/errors.ts'
import { errorStatus, renderError } from '../../../tasks/reporters/error.ts'

const plain = { json: false, interrupted: false }
const json = { json: true, interrupted: false }

describe('an error of ours', () => {
  const error = new ImgError('LAYER_UNKNOWN', 'no layer named "wbe"', {
    path: 'imgfile.ts',
    line: 12,
    found: 'wbe',
    validOptions: ['base', 'web', 'db'],
    cause: new Error('deep'),
  })

  test('says what, where and what was probably meant', () => {
    expect(renderError(error, plain)).toBe(`error LAYER_UNKNOWN: no layer named "wbe"
  in imgfile.ts:12
  did you mean "web"?   known: base, web, db
`)
    expect(errorStatus(error, false)).toBe(2)
  })

  test('of very many names, only what was probably meant', () => {
    const validOptions = Array.from({ length: 14 }, (_, index) => `role:layer-${index}`)
    const unknown = new ImgError('LAYER_UNKNOWN', 'there is no layer role:layr-3', {
      found: 'role:layr-3',
      validOptions,
    })
    expect(renderError(unknown, plain)).toBe(
      'error LAYER_UNKNOWN: there is no layer role:layr-3\n  did you mean "role:layer-3"?\n',
    )
  })

  test('has everything it can have', () => {
    const full = new ImgError('STEP_FAILED', 'apt-get exited with 100', {
      layer: 'role:web',
      path: 'imgfile.ts',
      wanted: '0',
      found: '1',
      hint: 'see the log',
      validOptions: Array.from({ length: 14 }, (_, index) => `option-${index}`),
      output: Array.from({ length: 30 }, (_, index) => `line ${index}`).join('\n'),
    })
    expect(renderError(full, plain)).toMatchInlineSnapshot(`
      "error STEP_FAILED: apt-get exited with 100
        in imgfile.ts
        layer role:web
        wanted 0
        hint see the log
        known: option-0, option-1, option-2, option-3, option-4, option-5, option-6, option-7, option-8, option-9, option-10, option-11 and 2 more
        last output
          | line 10
          | line 11
          | line 12
          | line 13
          | line 14
          | line 15
          | line 16
          | line 17
          | line 18
          | line 19
          | line 20
          | line 21
          | line 22
          | line 23
          | line 24
          | line 25
          | line 26
          | line 27
          | line 28
          | line 29
      "
    `)
  })

  test('as JSON is one line with the same fields', () => {
    const text = renderError(error, json)
    expect(text).toMatch(/^[^\n]*\n$/)
    expect(JSON.parse(text)).toEqual({
      error: {
        code: 'LAYER_UNKNOWN',
        exitCode: 2,
        message: 'no layer named "wbe"',
        path: 'imgfile.ts',
        line: 12,
        found: 'wbe',
        validOptions: ['base', 'web', 'db'],
        cause: 'deep',
      },
    })
  })

  test('cannot steer the terminal', () => {
    const odd = new ImgError('INPUT_MISSING', 'no \u001b[2J', { hint: '\u0007', output: '\u009bx' })
    expect(renderError(odd, plain)).toBe(
      'error INPUT_MISSING: no \\x1b[2J\n  hint \\x07\n  last output\n    | \\x9bx\n',
    )
  })
})

describe('what the operating system refused', () => {
  test.each([
    [
      'ENOSPC',
      3,
      'error DISK_FULL: no space left: broken\n  in /a\n  hint free space there, or choose another place with --cache-dir\n',
    ],
    [
      'EDQUOT',
      3,
      'error DISK_FULL: no space left: broken\n  in /a\n  hint free space there, or choose another place with --cache-dir\n',
    ],
    [
      'EACCES',
      3,
      'error PERMISSION: not permitted: broken\n  in /a\n  hint check owner and mode of the path, or run as the user it belongs to\n',
    ],
    [
      'EROFS',
      3,
      'error PERMISSION: not permitted: broken\n  in /a\n  hint check owner and mode of the path, or run as the user it belongs to\n',
    ],
  ])('%s', (code, status, text) => {
    const error = Object.assign(new Error('broken'), { code, path: '/a' })
    expect(renderError(error, plain)).toBe(text)
    expect(errorStatus(error, false)).toBe(status)
  })
})

describe('anything else', () => {
  const error = new TypeError('x is not a function')
  error.stack = 'TypeError: x is not a function\n    at here'

  test('is a bug, with its stack', () => {
    expect(renderError(error, plain)).toBe(
      'TypeError: x is not a function\n    at here\nthis is a bug in img; please report it with the lines above\n',
    )
    expect(renderError('text', plain)).toBe(
      'thrown: text\nthis is a bug in img; please report it with the lines above\n',
    )
    expect(errorStatus(error, false)).toBe(70)
  })

  test('is a bug for programs, too', () => {
    expect(JSON.parse(renderError(error, json))).toEqual({
      error: {
        code: 'BUG',
        exitCode: 70,
        message: 'x is not a function',
        hint: 'this is a bug in img; please report it with the lines above',
        stack: error.stack,
      },
    })
  })

  test('is a consequence after an interrupt', () => {
    expect(renderError(error, { json: false, interrupted: true })).toBe('error INTERRUPTED: interrupted\n')
    expect(errorStatus(error, true)).toBe(130)
  })
})
