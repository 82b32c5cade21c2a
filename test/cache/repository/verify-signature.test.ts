import { expect, test } from 'vitest'
import { clearSign } from '../../../cache/repository/sign.ts'
import { resolvePublicKey, resolveSigningKey } from '../../../cache/repository/gpg-keys.ts'
import { verifyClearSigned } from '../../../cache/repository/verify-signature.ts'
import { testContext } from '../../rig/run-context.ts'
import { makeSigningKey } from '../../rig/signing-key.ts'

const text = '[a]\nname=A\n'

test('a changed, unsigned, strange or framed text is refused', async () => {
  const [own, other] = [makeSigningKey(), makeSigningKey('Somebody Else')]
  const context = testContext({ env: { GNUPGHOME: own.home } })
  const key = await resolveSigningKey(own.fingerprint, context)
  const stranger = await resolvePublicKey(other.fingerprint, testContext({ env: { GNUPGHOME: other.home } }))
  const signed = await clearSign(text, key, context)
  const refused = {
    code: 'SIGNATURE_INVALID',
    message: `x/index.asc has no good signature of ${own.fingerprint}`,
    fields: { hint: 'nothing of it is used; check the fingerprint, and who changed the file' },
  }
  await expect(
    verifyClearSigned(signed.replace('name=A', 'name=B'), key, 'x/index.asc'),
  ).rejects.toMatchObject(refused)
  await expect(verifyClearSigned(signed, stranger, 'x/index.asc')).rejects.toMatchObject({
    ...refused,
    message: `x/index.asc has no good signature of ${other.fingerprint}`,
  })
  for (const framed of [text, `[b]\nname=B\n\n${signed}`, `${signed}[b]\nname=B\n`, signed + signed]) {
    await expect(verifyClearSigned(framed, key, 'x/index.asc')).rejects.toMatchObject({
      code: 'SIGNATURE_INVALID',
      message: 'x/index.asc is not a clear-signed file',
      fields: { hint: 'nothing of it is used; whoever publishes there must sign it' },
    })
  }
  // Headers end at the first empty line for virt-builder, so a line there would be text it reads.
  const smuggled = signed.replace('Hash: SHA512\n\n', 'Hash: SHA512\n\n[b]\n')
  await expect(verifyClearSigned(smuggled, key, 'x/index.asc')).rejects.toMatchObject(refused)
})
