// The option `secrets` of recipes whose steps may need a value nobody may see.

import { listOf, type OptionCheck } from '../tasks/plan/options.ts'
import type { InputDeclaration } from '../tasks/plan/recipe.ts'
import { isSecret, type Secret } from '../tasks/plan/secret.ts'

export interface Secrets {
  /** Each is a file below /run/img/secrets while the step runs. */
  readonly secrets?: readonly Secret[]
}

export const isSecretOption: OptionCheck = (value) =>
  isSecret(value) ? undefined : "not a secret: write secret('name')"

export const isSecrets: OptionCheck = listOf(isSecretOption)

export const secretInputs = (secrets: readonly Secret[] = []): Readonly<Record<string, InputDeclaration>> =>
  Object.fromEntries(secrets.map((secret) => [inputOf(secret), { kind: 'secret', secret }]))

/** The field of a step. */
export const secretField = (secrets: readonly Secret[] = []): { readonly secrets?: readonly string[] } =>
  secrets.length === 0 ? {} : { secrets: secrets.map(inputOf) }

const inputOf = ({ name }: Secret): string => `secret ${name}`
