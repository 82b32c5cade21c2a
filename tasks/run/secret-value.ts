// Asks for a secret's value, now.

import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { RunContext } from '../context.ts'
import { ImgError } from '../errors.ts'
import type { Secret } from '../plan/secret.ts'
import { runProgram } from './process.ts'
import { shortestSecret } from './secret-forms.ts'

/** Without the line end that files and programs put behind a value. Throws INPUT_MISSING and INPUT_INVALID. */
export async function readSecret(secret: Secret, context: RunContext): Promise<Buffer> {
  const value = await valueOf(secret, context)
  if (value.length >= shortestSecret) return value
  throw new ImgError('INPUT_INVALID', `the secret ${secret.name} has ${value.length} bytes`, {
    hint: `one of fewer than ${shortestSecret} bytes could not be told from other text in logs and on the disk`,
  })
}

async function valueOf({ name, source }: Secret, { env, root, signal }: RunContext): Promise<Buffer> {
  if ('env' in source) {
    const value = env[source.env]
    if (value !== undefined) return Buffer.from(value)
    throw missing(name, `the environment variable ${source.env} is not set`, `set ${source.env}`)
  }
  if ('file' in source) {
    const value = await readFile(resolve(root, source.file)).catch(() => undefined)
    if (value !== undefined) return withoutLineEnd(value)
    throw missing(name, `${source.file} cannot be read`, 'check the path, relative to the imgfile')
  }
  const [program = '', ...rest] = source.command
  const passed = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined)
  const { exitCode, stdout } = await runProgram([program, ...rest], {
    cwd: root,
    env: Object.fromEntries(passed),
    signal,
  })
  if (exitCode === 0 && stdout.includes('\uFFFD')) {
    throw new ImgError(
      'INPUT_INVALID',
      `${program}, which gives the secret ${name}, printed what is no text`,
      {
        hint: 'let it print base64, and decode that where it is used',
      },
    )
  }
  if (exitCode === 0) return withoutLineEnd(Buffer.from(stdout))
  // Not what it printed: that may be half of the value.
  throw missing(name, `${program} ended with ${exitCode}`, `run it yourself: ${source.command.join(' ')}`)
}

const missing = (name: string, why: string, hint: string): ImgError =>
  new ImgError('INPUT_MISSING', `the secret ${name} is not to be had: ${why}`, { hint })

function withoutLineEnd(value: Buffer): Buffer {
  const end = value.at(-1) === 0x0a ? (value.at(-2) === 0x0d ? 2 : 1) : 0
  return value.subarray(0, value.length - end)
}
