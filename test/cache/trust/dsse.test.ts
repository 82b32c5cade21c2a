// Signatures on what a remote holds: which count, and which do not, for each kind of entry.

import { describe, expect, test } from 'vitest'
import { type EntryContent, openEntry, signEntry } from '../../../cache/trust/signed-entry.ts'
import type { TrustedKey } from '../../../cache/trust/trusted-keys.ts'
import { signingKey } from '../../rig/entry-keys.ts'
import { alice, ci, content, digest, type Envelope, now, place } from '../../rig/signed-example.ts'

const open = (bytes: Buffer, signer: TrustedKey = ci.trusted): EntryContent | string =>
  openEntry(bytes, place, { signer, now })

describe.each<[string, EntryContent]>([
  ['record', content],
  ['value', { kind: 'value', blob: digest('7') }],
])('a %s', (_, signed) => {
  const entry = signEntry(place, signed, ci.own)
  const { payload, payloadType, signatures } = JSON.parse(entry.toString()) as Envelope
  const [own] = signatures
  const theirs = (JSON.parse(signEntry(place, signed, alice.own).toString()) as Envelope).signatures[0]!
  const withSignatures = (...list: readonly unknown[]): Buffer =>
    Buffer.from(JSON.stringify({ payloadType, payload, signatures: list }))
  const sig = Buffer.from(own!.sig, 'base64')
  const not = `the entry has no valid signature of ${ci.own.id.slice(0, 12)}`
  const stranger = signingKey('stranger', ['main'])

  test.each<[string, Buffer]>([
    ['signed twice, by whom is asked for and by another', withSignatures(own, theirs)],
    ['the same, the other way round', withSignatures(theirs, own)],
    ['signed twice by the same key', withSignatures(own, own)],
    ['with a field nobody knows', Buffer.from(JSON.stringify({ ...JSON.parse(entry.toString()), more: 1 }))],
  ])('%s counts', (...[, bytes]) => {
    expect(open(bytes)).toEqual(signed)
  })

  test.each<[string, Buffer, string]>([
    ['signed by another key only', withSignatures(theirs), not],
    ['signed by another key that says it is ours', withSignatures({ ...theirs, keyid: ci.own.id }), not],
    ['with zeros for a signature', withSignatures({ ...own, sig: Buffer.alloc(64).toString('base64') }), not],
    ['with a cut signature', withSignatures({ ...own, sig: sig.subarray(0, 63).toString('base64') }), not],
    [
      'with a longer signature',
      withSignatures({ ...own, sig: Buffer.concat([sig, sig]).toString('base64') }),
      not,
    ],
    ['with its signature written in another way', withSignatures({ ...own, sig: stretched(sig) }), not],
    ['with white space in the signature', withSignatures({ ...own, sig: `${own!.sig}\n` }), not],
    [
      'with the signature of another subject',
      withSignatures(
        ...(JSON.parse(signEntry({ ...place, subject: digest('9') }, signed, ci.own).toString()) as Envelope)
          .signatures,
      ),
      not,
    ],
    [
      'with the payload twice, the signed one first',
      Buffer.from(
        `{"payload":"${payload}",${JSON.stringify({ payloadType, signatures, payload: 'e30=' }).slice(1)}`,
      ),
      not,
    ],
    [
      'of another project',
      signEntry({ ...place, project: 'project-2' }, signed, ci.own),
      'the entry was signed for another project',
    ],
    [
      'of another namespace',
      signEntry({ ...place, namespace: 'dev/ci' }, signed, ci.own),
      'the entry was signed for another namespace',
    ],
    [
      'of another subject',
      signEntry({ ...place, subject: digest('9') }, signed, ci.own),
      'the entry was signed for another subject',
    ],
    ['of a key nobody trusts', signEntry(place, signed, stranger.own), not],
  ])('%s is refused', (...[, bytes, message]) => {
    expect(open(bytes)).toBe(message)
  })

  test.each([
    ['revoked', { revoked: true }, 'the key ci is revoked'],
    ['ended', { notAfter: now }, 'the key ci ended on 2026-06-01'],
    ['for another namespace', { namespaces: ['dev/ci'] }, 'the key ci may not write main'],
  ])('of a key that is %s is refused', (...[, over, message]) => {
    expect(open(entry, { ...ci.trusted, ...over })).toBe(message)
  })
})

/** S + L instead of S, which some verifiers take for the same signature. */
function stretched(sig: Buffer): string {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n
  const scalar = BigInt(`0x${Buffer.from(sig.subarray(32).toReversed()).toString('hex')}`) + order
  const bytes = Buffer.from(scalar.toString(16).padStart(64, '0'), 'hex').toReversed()
  return Buffer.concat([sig.subarray(0, 32), bytes]).toString('base64')
}
