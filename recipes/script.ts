// The escape hatch: a function of the imgfile, with zx.

import {
  checkOptions,
  invalidOption,
  isLayerOption,
  isText,
  listOf,
  type OptionCheck,
} from '../tasks/plan/options.ts'
import type { InputDeclaration, Layer, Recipe, ScriptFunction } from '../tasks/plan/recipe.ts'
import { type Archives, archiveRules, aptInput } from './archives.ts'
import { isSecrets, type Secrets, secretField, secretInputs } from './secrets.ts'
import { defaultTools } from './tools.ts'

export interface ScriptOptions extends Partial<Archives>, Secrets {
  /** Folders of the project the function reads, with patterns of the files in them: they are in the key. */
  readonly inputs?: Readonly<Record<string, readonly string[]>>
  readonly tools?: Layer
}

/**
 * Runs a function whose `$` runs commands in the image. Its own source and what it imports from the project are in
 * the key; what else it reads must be named in `inputs`. With `suite` the locked repositories are reachable.
 *
 * @example layer('base:web', script(async ($) => { await $`systemctl mask apt-daily.timer` }), { from: install })
 */
export function script(run: ScriptFunction, options: ScriptOptions = {}): Recipe {
  if (typeof run !== 'function') {
    throw invalidOption(
      `script: the first argument is a ${typeof run}, not a function`,
      'write script(async ($) => { await $`…` })',
    )
  }
  checkOptions('script', options, {
    required: {},
    optional: {
      ...archiveRules.required,
      ...archiveRules.optional,
      inputs: isInputs,
      secrets: isSecrets,
      tools: isLayerOption,
    },
  })
  const { suite, inputs = {}, secrets, tools = defaultTools } = options
  const files = Object.entries(inputs).map(([base, patterns]): [string, InputDeclaration] => [
    `files ${base}`,
    { kind: 'files', base, patterns },
  ])
  return {
    name: 'script',
    mode: 'chroot',
    parent: 'required',
    inputs: {
      script: { kind: 'script', run },
      ...Object.fromEntries(files),
      ...secretInputs(secrets),
      ...(suite === undefined ? {} : { apt: aptInput({ ...options, suite }) }),
    },
    tools,
    steps: () => [
      {
        do: 'script',
        input: 'script',
        ...secretField(secrets),
        ...(suite === undefined ? {} : { apt: 'apt' }),
      },
    ],
  }
}

const isInputs: OptionCheck = (value) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'not an object'
  const wrong = Object.entries(value).find(([, patterns]) => listOf(isText)(patterns) !== undefined)
  return wrong === undefined ? undefined : `where ${wrong[0]} has no list of patterns`
}
