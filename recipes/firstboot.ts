// A script the image runs once as a booted machine.

import {
  checkOptions,
  invalidOption,
  isLayerOption,
  isEnvironment,
  listOf,
  type OptionCheck,
} from '../tasks/plan/options.ts'
import type { Layer, Recipe } from '../tasks/plan/recipe.ts'
import { type Archives, archiveRules, aptInput } from './archives.ts'
import { machineHints, type MachineOptions, machineRules } from './machine-options.ts'
import { isSecrets, type Secrets, secretField, secretInputs } from './secrets.ts'
import { defaultTools } from './tools.ts'

export interface FirstbootOptions extends Partial<Archives>, Secrets, MachineOptions {
  readonly env?: Readonly<Record<string, string>>
  /** Exit codes that are success; default `[0]`. */
  readonly exitCodes?: readonly number[]
  readonly tools?: Layer
}

/**
 * Boots the image, runs the script as root when it is up, and powers off. The network has nothing but the locked
 * repositories, and those only when `suite` names a release. The image needs systemd 250 or newer.
 *
 * @example layer('base:web', firstboot('firstboot/join-cluster.sh'), { from: install })
 */
export function firstboot(script: string, options: FirstbootOptions = {}): Recipe {
  if (typeof script !== 'string' || script === '') {
    throw invalidOption(
      `firstboot: the script is ${JSON.stringify(script)}, not a path`,
      "write firstboot('firstboot/ready.sh')",
    )
  }
  checkOptions('firstboot', options, rules)
  const { suite, env, exitCodes = [0], tools = defaultTools } = options
  const machine = machineHints(options)
  return {
    name: 'firstboot',
    mode: 'boot',
    parent: 'required',
    inputs: {
      script: { kind: 'text', path: script },
      ...secretInputs(options.secrets),
      ...(suite === undefined ? {} : { apt: aptInput({ ...options, suite }) }),
    },
    tools,
    steps: (facts) => [
      {
        do: 'firstboot',
        script: facts.text('script').content,
        ...secretField(options.secrets),
        ...(env === undefined ? {} : { env }),
        ...(suite === undefined ? {} : { apt: 'apt' }),
        exitCodes,
        label: script,
        machine,
      },
    ],
    weight: { memory: machine.memory, machines: 1 },
  }
}

const isExitCode: OptionCheck = (value) =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) < 256
    ? undefined
    : 'not an exit code'

const rules = {
  required: {},
  optional: {
    ...archiveRules.required,
    ...archiveRules.optional,
    env: isEnvironment,
    exitCodes: listOf(isExitCode),
    ...machineRules,
    secrets: isSecrets,
    tools: isLayerOption,
  },
}
