// The run-time half of a recipe's option types: imgfiles are also written in JavaScript, and typos must not be silent.

import { ImgError } from '../errors.ts'
import { isLayer } from './declare.ts'
import { capturePlace, placeFields } from './place.ts'
import { suggestHint } from './suggest.ts'

/** Undefined when the value is fine, else what is wanted instead: `not text`, `not a size such as '4G'`. */
export type OptionCheck = (value: unknown) => string | undefined

export interface OptionRules {
  readonly required: Readonly<Record<string, OptionCheck>>
  readonly optional: Readonly<Record<string, OptionCheck>>
}

/** What a recipe says against its arguments: OPTION_INVALID with the imgfile's line. `message` begins with its name. */
export function invalidOption(message: string, hint: string, found?: unknown): ImgError {
  return new ImgError('OPTION_INVALID', message, {
    hint,
    ...(found === undefined ? {} : { found: show(found) }),
    ...placeFields(capturePlace(invalidOption)()),
  })
}

/** Refuses unknown, missing and wrong options of a recipe as OPTION_INVALID, with the imgfile's line. */
export function checkOptions(recipe: string, options: unknown, rules: OptionRules): void {
  const invalid = (message: string, hint: string, found?: unknown): ImgError =>
    invalidOption(`${recipe}: ${message}`, hint, found)
  const checks = { ...rules.required, ...rules.optional }
  const known = Object.keys(checks)
  if (typeof options !== 'object' || options === null || Array.isArray(options) || isLayer(options)) {
    throw invalid(
      `the options are ${show(options)}, not an object`,
      `write ${recipe}({ ${known.join(', ')} })`,
      options,
    )
  }
  const given = options as Readonly<Record<string, unknown>>
  for (const name of Object.keys(given)) {
    if (!known.includes(name)) {
      throw invalid(`unknown option "${name}"`, suggestHint(name, known, 'options'), name)
    }
  }
  for (const [name, check] of Object.entries(checks)) {
    const value = given[name]
    if (value === undefined) {
      if (!Object.hasOwn(rules.required, name)) continue
      throw invalid(`the option "${name}" is missing`, `write ${recipe}({ ${name}: … })`)
    }
    const wrong = check(value)
    if (wrong !== undefined) throw invalid(`"${name}" is ${show(value)}, ${wrong}`, `correct ${name}`, value)
  }
}

export const isText: OptionCheck = (value) =>
  typeof value === 'string' && value !== '' ? undefined : 'not text'

export const isTexts: OptionCheck = (value) =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.values(value).every((one) => typeof one === 'string')
    ? undefined
    : 'not an object of texts'

/** Values of the environment. A shell that is given another name ends at once. */
export const isEnvironment: OptionCheck = (value) => {
  const problem = isTexts(value)
  if (problem !== undefined) return problem
  const odd = Object.keys(value as object).find((name) => !/^[A-Za-z_]\w*$/.test(name))
  return odd === undefined ? undefined : `whose ${JSON.stringify(odd)} is no name: letters, digits and _`
}

export const isCount: OptionCheck = (value) =>
  Number.isInteger(value) && (value as number) > 0 ? undefined : 'not a whole number above 0'

export const isFlag: OptionCheck = (value) => (typeof value === 'boolean' ? undefined : 'not true or false')

export const isLayerOption: OptionCheck = (value) => (isLayer(value) ? undefined : 'not a layer')

export const listOf =
  (check: OptionCheck): OptionCheck =>
  (value) => {
    if (!Array.isArray(value)) return 'not an array'
    const wrong = value.findIndex((item) => check(item) !== undefined)
    return wrong === -1 ? undefined : `whose item ${wrong} is ${show(value[wrong])}, ${check(value[wrong])}`
  }

export const matching =
  (pattern: RegExp, wanted: string): OptionCheck =>
  (value) =>
    typeof value === 'string' && pattern.test(value) ? undefined : wanted

export const oneOf =
  (values: readonly string[]): OptionCheck =>
  (value) =>
    typeof value === 'string' && values.includes(value) ? undefined : `not one of ${values.join(', ')}`

/** apt's own rule, with an optional `=version` or `/suite` behind it. */
export const isPackage: OptionCheck = matching(
  /^[a-z0-9][a-z0-9+.-]+(?::[a-z0-9]+)?(?:[=/][A-Za-z0-9.+:~-]+)?$/,
  'not a package name',
)

function show(value: unknown): string {
  if (typeof value === 'function') return value.name === '' ? 'a function' : `the function ${value.name}`
  if (isLayer(value)) return `the layer ${value.name}`
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}
