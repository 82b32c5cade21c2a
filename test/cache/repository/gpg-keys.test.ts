import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readPublicKey, resolveSigningKey } from '../../../cache/repository/gpg-keys.ts'
import { testContext } from '../../rig/run-context.ts'
import { makeSigningKey } from '../../rig/signing-key.ts'

test('a key that is not there, a public one and a short id are refused', async () => {
  const own = makeSigningKey()
  const context = testContext({ env: { GNUPGHOME: own.home } })
  const absent = '0123456789ABCDEF0123456789ABCDEF01234567'
  await expect(resolveSigningKey(absent, context)).rejects.toMatchObject({
    code: 'SIGNING_FAILED',
    message: `there is no key ${absent} in ${own.home}`,
    fields: { hint: 'import it with `gpg --import`, or name the folder it is in by GNUPGHOME' },
  })
  const short = own.fingerprint.slice(-16)
  await expect(resolveSigningKey(short, context)).rejects.toMatchObject({
    code: 'USAGE',
    message: `${short} is not the fingerprint of a key`,
    fields: { hint: 'give all forty digits, as `gpg --list-keys` prints them', wanted: '40 hex digits' },
  })
  const other = makeSigningKey('Somebody Else')
  other.gpg('--output', join(other.home, 'exported'), '--export', other.fingerprint)
  own.gpg('--import', join(other.home, 'exported'))
  await expect(resolveSigningKey(other.fingerprint, context)).rejects.toMatchObject({
    code: 'SIGNING_FAILED',
    message: `there is no private key to sign with for ${other.fingerprint} in ${own.home}`,
  })
})

test('a key file may be armoured, and holds one key', async () => {
  const [own, other] = [makeSigningKey(), makeSigningKey('Somebody Else')]
  const [plain, armoured] = [join(own.home, 'plain'), join(own.home, 'armoured')]
  own.gpg('--output', plain, '--export', own.fingerprint)
  own.gpg('--armor', '--output', armoured, '--export', own.fingerprint)
  for (const path of [plain, armoured]) {
    const key = await readPublicKey(path, readFileSync(path))
    expect(key.fingerprint).toBe(own.fingerprint)
    expect(key.bytes.equals(readFileSync(plain))).toBe(true)
  }
  own.gpg('--import', (other.gpg('--output', join(other.home, 'o'), '--export'), join(other.home, 'o')))
  const both = join(own.home, 'both')
  own.gpg('--output', both, '--export')
  await expect(readPublicKey('both', readFileSync(both))).rejects.toMatchObject({
    code: 'SIGNATURE_INVALID',
    message: 'both holds 2 public keys instead of one',
    fields: { hint: 'write one with `gpg --export FINGERPRINT`' },
  })
  await expect(readPublicKey('note', Buffer.from('hello'))).rejects.toMatchObject({
    message: 'note holds 0 public keys instead of one',
  })
})
