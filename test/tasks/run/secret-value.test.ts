import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { secret } from '../../../tasks/plan/secret.ts'
import { readSecret } from '../../../tasks/run/secret-value.ts'
import { testContext } from '../../rig/run-context.ts'

describe('readSecret', () => {
  it('asks the environment, a file or a program', async () => {
    const context = testContext({
      env: { IMG_SECRET_DB_PASSWORD: 'from env', PATH: '/usr/bin:/bin', MINE: 'from env 2' },
    })
    writeFileSync(join(context.root, 'token'), 'from file\r\n')
    const ask = async (...given: Parameters<typeof secret>): Promise<string> =>
      (await readSecret(secret(...given), context)).toString()
    expect(await ask('db-password')).toBe('from env')
    expect(await ask('a', { env: 'MINE' })).toBe('from env 2')
    expect(await ask('a', { file: 'token' })).toBe('from file')
    expect(await ask('a', { command: ['sh', '-c', 'echo "said $MINE"; pwd >&2'] })).toBe('said from env 2')
  })

  it.each([
    [{ env: 'NO' }, 'the environment variable NO is not set', 'set NO'],
    [{ file: 'no/file' }, 'no/file cannot be read', 'check the path, relative to the imgfile'],
    [
      { command: ['sh', '-c', 'echo half; exit 3'] },
      'sh ended with 3',
      'run it yourself: sh -c echo half; exit 3',
    ],
  ])('refuses %o', async (source, why, hint) => {
    await expect(readSecret(secret('token', source), testContext())).rejects.toMatchObject({
      code: 'INPUT_MISSING',
      message: `the secret token is not to be had: ${why}`,
      fields: { hint },
    })
  })

  it('refuses bytes of a program that would not come through', async () => {
    const binary = secret('key', { command: ['printf', String.raw`\377\376 binary`] })
    await expect(readSecret(binary, testContext())).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: 'printf, which gives the secret key, printed what is no text',
      fields: { hint: 'let it print base64, and decode that where it is used' },
    })
  })

  it('refuses one that other text would contain', async () => {
    await expect(
      readSecret(secret('pin', { env: 'PIN' }), testContext({ env: { PIN: '12345' } })),
    ).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: 'the secret pin has 5 bytes',
      fields: { hint: 'one of fewer than 6 bytes could not be told from other text in logs and on the disk' },
    })
  })
})
