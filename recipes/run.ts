// One command in the image.

import { checkOptions, invalidOption, isLayerOption, isEnvironment, isText } from '../tasks/plan/options.ts'
import type { Layer, Recipe } from '../tasks/plan/recipe.ts'
import { type Archives, archiveRules, aptInput } from './archives.ts'
import { isSecrets, type Secrets, secretField, secretInputs } from './secrets.ts'
import { defaultTools } from './tools.ts'

export interface RunOptions extends Partial<Archives>, Secrets {
  readonly env?: Readonly<Record<string, string>>
  /** What the build shows instead of the command. */
  readonly label?: string
  readonly tools?: Layer
}

/**
 * Runs a program with arguments, or text that bash runs and leaves at the first failure, also of a pipe's earlier
 * part. There is no network, except to the locked repositories when `suite` names a release.
 *
 * @example layer('base:web', run('systemctl mask apt-daily.timer'), { from: install })
 */
export function run(command: string | readonly string[], options: RunOptions = {}): Recipe {
  checkOptions('run', options, {
    required: {},
    optional: {
      ...archiveRules.required,
      ...archiveRules.optional,
      env: isEnvironment,
      label: isText,
      secrets: isSecrets,
      tools: isLayerOption,
    },
  })
  const argv = toArgv(command)
  const { suite, env, label, secrets, tools = defaultTools } = options
  const shown = label ?? (typeof command === 'string' ? command.trim().split('\n')[0] : undefined)
  return {
    name: 'run',
    mode: 'chroot',
    parent: 'required',
    inputs: {
      ...secretInputs(secrets),
      ...(suite === undefined ? {} : { apt: aptInput({ ...options, suite }) }),
    },
    tools,
    steps: () => [
      {
        do: 'run',
        argv,
        ...secretField(secrets),
        ...(env === undefined ? {} : { env }),
        ...(suite === undefined ? {} : { apt: 'apt' }),
        ...(shown === undefined ? {} : { label: shown }),
      },
    ],
  }
}

function toArgv(command: unknown): readonly string[] {
  if (typeof command === 'string' && command.trim() !== '') return ['bash', '-euo', 'pipefail', '-c', command]
  const isArgv =
    Array.isArray(command) && command.length > 0 && command.every((one) => typeof one === 'string')
  if (isArgv && command[0] !== '') return command
  throw invalidOption(
    `run: the command is ${JSON.stringify(command)}, not text or a list of texts`,
    `write run('systemctl mask apt-daily.timer') or run(['systemctl', 'mask', 'apt-daily.timer'])`,
  )
}
