import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RunContext } from '../../../tasks/context.ts'
import { findKeyring } from '../../../tasks/run/apt-keyring.ts'
import { hasGpg, makeFolder, makeSigner, type Signer } from '../../rig/fake-archive.ts'

describe.runIf(hasGpg)('findKeyring', () => {
  let signer: Signer
  let folder: ReturnType<typeof makeFolder>
  beforeAll(() => {
    signer = makeSigner()
    folder = makeFolder()
  })
  afterAll(() => {
    signer.remove()
    folder.remove()
  })
  const contextWith = (keyring: string | undefined): RunContext =>
    ({ env: { IMG_KEYRING: keyring } as RunContext['env'], cacheDir: folder.path }) as RunContext

  test('IMG_KEYRING as it is', () => {
    expect(findKeyring('debian', contextWith(signer.keyring))).toBe(signer.keyring)
  })

  test('an armoured one is unwrapped into the cache, every block of it', () => {
    const path = findKeyring('debian', contextWith(signer.armoured))
    expect(path.startsWith(`${folder.path}/mirror/keyrings/`)).toBe(true)
    expect(readFileSync(path)).toEqual(readFileSync(signer.keyring))
    const twice = join(folder.path, 'twice.asc')
    writeFileSync(twice, readFileSync(signer.armoured, 'utf8').repeat(2))
    const one = readFileSync(signer.keyring)
    expect(readFileSync(findKeyring('debian', contextWith(twice)))).toEqual(Buffer.concat([one, one]))
  })

  test('a file that is not there', () => {
    expect(() => findKeyring('debian', contextWith('/nonexistent.gpg'))).toThrow(
      expect.objectContaining({
        code: 'OPTION_INVALID',
        message: 'IMG_KEYRING names a file that cannot be read: /nonexistent.gpg',
        fields: expect.objectContaining({
          hint: 'set it to a keyring made with `gpg --export`, by absolute path',
        }),
      }),
    )
  })

  test.skipIf(existsSync('/usr/share/keyrings/ubuntu-archive-keyring.gpg'))('no keyring package', () => {
    const message =
      'the keys of the ubuntu archive are missing: /usr/share/keyrings/ubuntu-archive-keyring.gpg'
    expect(() => findKeyring('ubuntu', contextWith(undefined))).toThrow(
      expect.objectContaining({
        code: 'TOOL_MISSING',
        message,
        fields: expect.objectContaining({
          hint: 'run `apt-get install ubuntu-keyring`, or set IMG_KEYRING to a keyring file',
        }),
      }),
    )
  })

  test('armour around nothing', () => {
    const path = join(folder.path, 'empty.asc')
    writeFileSync(path, '-----BEGIN CERTIFICATE-----\n')
    expect(() => findKeyring('debian', contextWith(path))).toThrow(`IMG_KEYRING is not a keyring: ${path}`)
  })
})
