import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { clearSign, detachSign } from '../../../cache/repository/sign.ts'
import { resolveSigningKey } from '../../../cache/repository/gpg-keys.ts'
import { verifyClearSigned } from '../../../cache/repository/verify-signature.ts'
import { testContext } from '../../rig/run-context.ts'
import { makeSigningKey } from '../../rig/signing-key.ts'
import { tempFolder } from '../../rig/temp-folder.ts'

const text = '[a]\nname=A\n'

test('what was signed is verified, and nothing of key or agent is left', async () => {
  const own = makeSigningKey()
  const context = testContext({ env: { GNUPGHOME: own.home } })
  vi.stubEnv('TMPDIR', tempFolder())
  onTestFinished(() => void vi.unstubAllEnvs())
  const key = await resolveSigningKey(own.fingerprint.replaceAll(/(....)/g, '$1 '), context)
  const signed = await clearSign(text, key, context)
  expect(await verifyClearSigned(signed, key, 'index.asc')).toBe(text)
  expect(readdirSync(tmpdir())).toEqual([])
  // The user's agent was never started.
  expect(existsSync(join(own.home, 'S.gpg-agent'))).toBe(false)
  const agents = spawnSync('pgrep', ['-af', 'gpg-agent'], { encoding: 'utf8' }).stdout
  expect(agents.split('\n').filter((line) => line.includes('img-gpg-') || line.includes(own.home))).toEqual(
    [],
  )
})

test('a signature of its own is one gpgv takes', async () => {
  const own = makeSigningKey()
  const context = testContext({ env: { GNUPGHOME: own.home } })
  const key = await resolveSigningKey(own.fingerprint, context)
  const signature = await detachSign(text, key, context)
  const folder = tempFolder({ text, 'text.sig': signature, other: `${text}x`, 'key.gpg': key.bytes })
  const verify = (file: string): number | null =>
    spawnSync('gpgv', ['--homedir', folder, '--keyring', './key.gpg', 'text.sig', file], { cwd: folder })
      .status
  expect([verify('text'), verify('other')]).toEqual([0, 1])
})

test('a subkey signs when it is named, and its primary key vouches', async () => {
  const own = makeSigningKey()
  own.gpg('--passphrase', '', '--quick-add-key', own.fingerprint, 'ed25519', 'sign', 'never')
  const listed = own.gpg('--with-colons', '--list-keys')
  const subkey = [...listed.matchAll(/^fpr:+([0-9A-F]{40}):/gm)][1]![1]!
  const context = testContext({ env: { GNUPGHOME: own.home } })
  const key = await resolveSigningKey(subkey, context)
  expect(key).toMatchObject({ fingerprint: own.fingerprint, user: `${subkey}!` })
  expect(key.secrets).toHaveLength(1)
  const signed = await clearSign(text, key, context)
  expect(await verifyClearSigned(signed, key, 'index.asc')).toBe(text)
})

test('an expired key signs nothing and vouches for nothing', async () => {
  const own = makeSigningKey()
  const context = testContext({ env: { GNUPGHOME: own.home } })
  const signed = await clearSign(text, await resolveSigningKey(own.fingerprint, context), context)
  own.gpg('--passphrase', '', '--quick-set-expire', own.fingerprint, 'seconds=1')
  await expect.poll(() => own.gpg('--with-colons', '--list-keys'), { timeout: 10_000 }).toMatch(/^pub:e:/m)
  const key = await resolveSigningKey(own.fingerprint, context).catch((error: Error) => error)
  expect(key).toMatchObject({ fingerprint: own.fingerprint })
  await expect(clearSign(text, key as never, context)).rejects.toMatchObject({
    code: 'SIGNING_FAILED',
    message: `gpg cannot sign with ${own.fingerprint}`,
    fields: {
      hint: 'use a key without passphrase that has not expired, such as `gpg --quick-generate-key` makes one',
    },
  })
  await expect(verifyClearSigned(signed, key as never, 'index.asc')).rejects.toMatchObject({
    code: 'SIGNATURE_INVALID',
  })
}, 20_000)
