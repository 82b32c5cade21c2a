import { describe, expect, test } from 'vitest'
import { ImgError } from '../../../tasks/errors.ts'
import {
  checkOptions,
  isFlag,
  isLayerOption,
  isPackage,
  isText,
  isEnvironment,
  isTexts,
  listOf,
  matching,
  type OptionCheck,
} from '../../../tasks/plan/options.ts'

const rules = { required: { from: isText }, optional: { deep: isFlag } }

test('what is right passes, also an optional one left out or undefined', () => {
  expect(() => checkOptions('copy', { from: 'a' }, rules)).not.toThrow()
  expect(() => checkOptions('copy', { from: 'a', deep: undefined }, rules)).not.toThrow()
})

test.each([
  [{ from: 'a', deeep: true }, 'copy: unknown option "deeep"', 'did you mean deep?'],
  [{ from: 'a', zzzzzz: true }, 'copy: unknown option "zzzzzz"', 'options: from, deep'],
  [{}, 'copy: the option "from" is missing', 'write copy({ from: … })'],
  [{ from: '' }, 'copy: "from" is "", not text', 'correct from'],
  [{ from: copy }, 'copy: "from" is the function copy, not text', 'correct from'],
  [
    { from: 'a', deep: 'x'.repeat(99) },
    `copy: "deep" is "${'x'.repeat(56)}…, not true or false`,
    'correct deep',
  ],
  [null, 'copy: the options are null, not an object', 'write copy({ from, deep })'],
  [['a'], 'copy: the options are ["a"], not an object', 'write copy({ from, deep })'],
])('%j', (options, message, hint) => {
  let caught: unknown
  try {
    copy(options)
  } catch (error) {
    caught = error
  }
  expect(caught).toBeInstanceOf(ImgError)
  expect(caught).toMatchObject({ code: 'OPTION_INVALID', message, fields: { hint } })
})

function copy(options: unknown): void {
  checkOptions('copy', options, rules)
}

describe('checks', () => {
  const layer = { name: 'a:b', recipes: [], from: undefined, declaredAt: undefined }
  const cases: readonly [name: string, check: OptionCheck, value: unknown, wrong: string | undefined][] = [
    ['isFlag', isFlag, false, undefined],
    ['isFlag', isFlag, 0, 'not true or false'],
    ['isLayerOption', isLayerOption, layer, undefined],
    ['isLayerOption', isLayerOption, 'a:b', 'not a layer'],
    ['listOf', listOf(isText), ['a', 'b'], undefined],
    ['listOf', listOf(isText), 'a', 'not an array'],
    ['listOf', listOf(isText), ['a', 1], 'whose item 1 is 1, not text'],
    ['matching', matching(/^a+$/, 'not only a'), 'aa', undefined],
    ['matching', matching(/^a+$/, 'not only a'), 'ab', 'not only a'],
    ['isPackage', isPackage, 'libstdc++6', undefined],
    ['isPackage', isPackage, 'nginx=1.26.3-3+deb13u1', undefined],
    ['isPackage', isPackage, 'nginx/trixie-backports', undefined],
    ['isPackage', isPackage, '-o', 'not a package name'],
    ['isPackage', isPackage, 'a b', 'not a package name'],
    ['isTexts', isTexts, { A: 'b' }, undefined],
    ['isTexts', isTexts, { A: 1 }, 'not an object of texts'],
    ['isTexts', isTexts, ['a'], 'not an object of texts'],
    ['isEnvironment', isEnvironment, { A_1: 'b', _a: '' }, undefined],
    ['isEnvironment', isEnvironment, { A: 1 }, 'not an object of texts'],
    ['isEnvironment', isEnvironment, { 'A-B': '' }, 'whose "A-B" is no name: letters, digits and _'],
    ['isEnvironment', isEnvironment, { '1A': '' }, 'whose "1A" is no name: letters, digits and _'],
  ]
  test.each(cases)('%s %#', (...[, check, value, wrong]) => {
    expect(check(value)).toBe(wrong)
  })
})
