// Pure. Dead Simple Signing Envelopes (https://github.com/secure-systems-lab/dsse, v1.0) with ed25519. The type is
// under the signature, so nothing signed as one thing can be shown as another.

import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'

export interface PrivateKey {
  readonly id: string
  readonly key: KeyObject
}

export interface PublicKey {
  /** sha256 of the SubjectPublicKeyInfo, hex: what a key is known by. */
  readonly id: string
  readonly key: KeyObject
}

export function signEnvelope(type: string, payload: Buffer, { id, key }: PrivateKey): Buffer {
  const signature = sign(null, preAuthEncoding(type, payload), key)
  const envelope = {
    payloadType: type,
    payload: payload.toString('base64'),
    signatures: [{ keyid: id, sig: signature.toString('base64') }],
  }
  return Buffer.from(`${JSON.stringify(envelope)}\n`)
}

/** The payload as it was signed by this key, or what is wrong: completes "the envelope …". */
export function openEnvelope(type: string, bytes: Buffer, signer: PublicKey): Buffer | string {
  const envelope = parseEnvelope(bytes)
  if (typeof envelope === 'string') return envelope
  if (envelope.payloadType !== type)
    return `is of the type ${JSON.stringify(envelope.payloadType.slice(0, 80))}`
  const message = preAuthEncoding(envelope.payloadType, envelope.payload)
  // By the key we ask for; what an envelope says of itself decides nothing.
  const isSigned = envelope.signatures.some((signature) => verify(null, message, signer.key, signature))
  return isSigned ? envelope.payload : `has no valid signature of ${signer.id.slice(0, 12)}`
}

/** PEM (PKCS #8), or undefined when it is no ed25519 key. */
export function readPrivateKey(pem: string): PrivateKey | undefined {
  const key = tryKey(() => createPrivateKey(pem))
  return key && { id: keyId(createPublicKey(key)), key }
}

/** Base64 of the SubjectPublicKeyInfo (DER), or undefined when it is no ed25519 key. */
export function readPublicKey(base64: string): PublicKey | undefined {
  const der = decodeBase64(base64)
  const key = der && tryKey(() => createPublicKey({ key: der, format: 'der', type: 'spki' }))
  return key && { id: keyId(key), key }
}

export const renderPublicKey = (key: KeyObject): string => spki(key).toString('base64')

const keyId = (key: KeyObject): string => createHash('sha256').update(spki(key)).digest('hex')

const spki = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' })

function tryKey(make: () => KeyObject): KeyObject | undefined {
  try {
    const key = make()
    return key.asymmetricKeyType === 'ed25519' ? key : undefined
  } catch {
    return undefined
  }
}

const preAuthEncoding = (type: string, payload: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `), payload])

interface Envelope {
  readonly payloadType: string
  readonly payload: Buffer
  readonly signatures: readonly Buffer[]
}

function parseEnvelope(bytes: Buffer): Envelope | string {
  let value: unknown
  try {
    value = JSON.parse(bytes.toString())
  } catch {
    return 'is not JSON'
  }
  if (typeof value !== 'object' || value === null) return 'is not an object'
  const { payloadType, payload, signatures } = value as Record<string, unknown>
  const content = typeof payload === 'string' ? decodeBase64(payload) : undefined
  if (typeof payloadType !== 'string' || content === undefined) return 'has no payload'
  if (!Array.isArray(signatures) || signatures.length > signaturesMax) return 'has no list of signatures'
  const decoded = signatures.flatMap((entry: unknown) => {
    const sig: unknown = (entry as { sig?: unknown } | null)?.sig
    return typeof sig === 'string' ? [decodeBase64(sig) ?? Buffer.alloc(0)] : []
  })
  return { payloadType, payload: content, signatures: decoded }
}

/** Node's own decoder takes anything for base64. */
function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}

const signaturesMax = 16
