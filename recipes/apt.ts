// Packages on top of the parent layer, from the locked repositories.

import { checkOptions, isFlag, isLayerOption, isPackage, listOf } from '../tasks/plan/options.ts'
import type { Layer, Recipe } from '../tasks/plan/recipe.ts'
import { archiveRules, type Archives, aptInput } from './archives.ts'
import { defaultTools } from './tools.ts'

export interface AptOptions extends Archives {
  /** `package`, `package=version`, `package/suite`. */
  readonly install?: readonly string[]
  readonly remove?: readonly string[]
  /** Whether recommended packages come along; not by default. */
  readonly recommends?: boolean
  readonly tools?: Layer
}

/**
 * Installs and removes packages.
 *
 * @example layer('base:web', apt({ suite: 'trixie', install: ['nginx'] }), { from: install })
 */
export function apt(options: AptOptions): Recipe {
  checkOptions('apt', options, {
    required: archiveRules.required,
    optional: {
      ...archiveRules.optional,
      install: listOf(isPackage),
      remove: listOf(isPackage),
      recommends: isFlag,
      tools: isLayerOption,
    },
  })
  const { install = [], remove = [], recommends = false, tools = defaultTools } = options
  return {
    name: 'apt',
    mode: 'chroot',
    parent: 'required',
    inputs: { apt: aptInput(options) },
    tools,
    steps: () => [{ do: 'apt', apt: 'apt', install, remove, recommends }],
  }
}
