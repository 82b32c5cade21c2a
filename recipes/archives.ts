// The options of every recipe that reaches package repositories while it runs.

import { isFlag, listOf, matching, type OptionRules } from '../tasks/plan/options.ts'
import type { AptInput } from '../tasks/plan/recipe.ts'

export interface Archives {
  /** Release of the image: `trixie`, `bookworm`. */
  readonly suite: string
  /** Archive areas; default `main` and `non-free-firmware`. */
  readonly components?: readonly string[]
  /** The release's `-updates` and `-security` suites; both by default. */
  readonly updates?: boolean
  readonly security?: boolean
}

const isComponent = matching(/^[a-z][a-z-]*$/, 'not the name of an archive area')

export const archiveRules: OptionRules = {
  required: { suite: matching(/^[a-z][a-z0-9-]*$/, 'not the name of a release') },
  optional: { components: listOf(isComponent), updates: isFlag, security: isFlag },
}

export const defaultComponents: readonly string[] = ['main', 'non-free-firmware']

export function aptInput(archives: Archives): AptInput {
  const { suite, components = defaultComponents, updates = true, security = true } = archives
  return { kind: 'apt', suite, components, updates, security }
}
