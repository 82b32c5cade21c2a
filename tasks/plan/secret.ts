// A value that must not be seen: the imgfile holds a handle, the value is asked for when a step needs it. Nothing that
// prints or stores a handle can show more than its name.

import { ImgError } from '../errors.ts'
import { suggestHint } from './suggest.ts'

/** Where the value comes from. Not in the key. */
export type SecretSource =
  | { readonly env: string }
  /** Relative to the imgfile's folder. */
  | { readonly file: string }
  /** What the program prints. */
  | { readonly command: readonly string[] }

/** Where a step finds the values, in the image and in a machine. */
export const secretsFolder = '/run/img/secrets'

export class Secret {
  readonly name: string
  readonly source: SecretSource

  constructor(name: string, source: SecretSource) {
    this.name = name
    this.source = source
    Object.freeze(this)
  }

  toString(): string {
    return `[secret:${this.name}]`
  }

  toJSON(): string {
    return this.toString()
  }
}

/**
 * A password, token or key for steps: a file with mode 0400, `/run/img/secrets/NAME`, for as long as the step runs. A
 * layer whose disk holds the value afterwards fails. Without a source it is the environment's IMG_SECRET_NAME.
 *
 * @example run('curl --config /run/img/secrets/registry https://…', { secrets: [secret('registry', { file: '/run/keys/registry' })] })
 */
export function secret(name: string, source?: SecretSource): Secret {
  if (typeof name !== 'string' || !/^[a-z0-9][a-z0-9._-]*$/.test(name)) {
    throw new ImgError(
      'OPTION_INVALID',
      `secret: the name is ${JSON.stringify(name)}, not a name of a file`,
      {
        hint: "write a-z 0-9 . _ -, for example secret('registry-token')",
      },
    )
  }
  return new Secret(name, source === undefined ? { env: variableOf(name) } : checkSource(name, source))
}

/** Also of a second copy of this module, which an imgfile may have loaded. */
export const isSecret = (value: unknown): value is Secret =>
  typeof value === 'object' &&
  value !== null &&
  (value as Secret).constructor.name === Secret.name &&
  typeof (value as Secret).name === 'string'

const variableOf = (name: string): string => `IMG_SECRET_${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`

function checkSource(name: string, source: SecretSource): SecretSource {
  const given = Object.entries(source ?? {})
  const [kind = '', value] = given[0] ?? []
  const isText = typeof value === 'string' && value !== ''
  const isCommand =
    Array.isArray(value) && value.length > 0 && value.every((part) => typeof part === 'string')
  if (given.length === 1 && (kind === 'command' ? isCommand : kinds.includes(kind) && isText)) return source
  throw new ImgError('OPTION_INVALID', `secret: the source of ${name} is not one of env, file and command`, {
    hint:
      given.length === 1 && !kinds.includes(kind)
        ? suggestHint(kind, kinds, 'sources')
        : `write secret('${name}', { env: 'NAME' }), { file: 'path' } or { command: ['program', 'argument'] }`,
  })
}

const kinds = ['env', 'file', 'command']
