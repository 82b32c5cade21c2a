import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { isSecret, secret } from '../../../tasks/plan/secret.ts'

describe('secret', () => {
  it('shows no more than its name', () => {
    const token = secret('registry-token')
    expect([String(token), JSON.stringify({ token })]).toEqual([
      '[secret:registry-token]',
      '{"token":"[secret:registry-token]"}',
    ])
    expect(inspect(token)).toContain('IMG_SECRET_REGISTRY_TOKEN')
    expect(isSecret(token)).toBe(true)
    expect(isSecret('[secret:registry-token]')).toBe(false)
    expect(isSecret({ name: 'a' })).toBe(false)
  })

  it.each([
    ['A', 'secret: the name is "A", not a name of a file'],
    ['../x', 'secret: the name is "../x", not a name of a file'],
    [undefined, 'secret: the name is undefined, not a name of a file'],
  ])('refuses the name %s', (name, message) => {
    expect(() => secret(name as string)).toThrow(
      expect.objectContaining({
        code: 'OPTION_INVALID',
        message,
        fields: { hint: "write a-z 0-9 . _ -, for example secret('registry-token')" },
      }),
    )
  })

  it.each([
    [{ envv: 'A' }, 'did you mean env?'],
    [
      { env: 'A', file: 'b' },
      `write secret('x', { env: 'NAME' }), { file: 'path' } or { command: ['program', 'argument'] }`,
    ],
    [
      { command: 'pass show x' },
      `write secret('x', { env: 'NAME' }), { file: 'path' } or { command: ['program', 'argument'] }`,
    ],
    [null, `write secret('x', { env: 'NAME' }), { file: 'path' } or { command: ['program', 'argument'] }`],
  ])('refuses the source %o', (source, hint) => {
    expect(() => secret('x', source as never)).toThrow(
      expect.objectContaining({
        code: 'OPTION_INVALID',
        message: 'secret: the source of x is not one of env, file and command',
        fields: { hint },
      }),
    )
  })
})
