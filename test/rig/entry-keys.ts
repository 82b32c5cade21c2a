// Keys made in the test, and keys.json entries for them.

import { generateKeyPairSync } from 'node:crypto'
import { type PrivateKey, readPublicKey, renderPublicKey } from '../../cache/trust/dsse.ts'
import type { TrustedKey } from '../../cache/trust/trusted-keys.ts'

export interface SigningKey {
  readonly own: PrivateKey
  readonly trusted: TrustedKey
}

export function signingKey(
  name: string,
  namespaces: readonly string[],
  over: Partial<TrustedKey> = {},
): SigningKey {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const text = renderPublicKey(publicKey)
  const key = readPublicKey(text)!
  return {
    own: { id: key.id, key: privateKey },
    trusted: { ...key, name, public: text, namespaces, notAfter: undefined, revoked: false, ...over },
  }
}
