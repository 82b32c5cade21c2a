import { generateKeyPairSync, sign } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { LayerRecord } from '../../../cache/store.ts'
import { readPublicKey, renderPublicKey, signEnvelope } from '../../../cache/trust/dsse.ts'
import { type EntryContent, openEntry, signEntry, signersOf } from '../../../cache/trust/signed-entry.ts'
import type { TrustedKey } from '../../../cache/trust/trusted-keys.ts'
import { signingKey } from '../../rig/entry-keys.ts'
import {
  alice,
  artifactFile,
  ci,
  content,
  digest,
  type Envelope,
  now,
  place,
  record,
} from '../../rig/signed-example.ts'

const good = signEntry(place, content, ci.own)

const open = (
  bytes: Buffer,
  over: { place?: Partial<typeof place>; signer?: TrustedKey; now?: number } = {},
): EntryContent | string =>
  openEntry(bytes, { ...place, ...over.place }, { signer: over.signer ?? ci.trusted, now: over.now ?? now })

test('what was signed comes back', () => {
  expect(open(good)).toEqual(content)
  const value = { kind: 'value', blob: digest('7') } as const
  expect(open(signEntry(place, value, ci.own))).toEqual(value)
})

describe('a key that may not speak says so by name', () => {
  test.each([
    ['revoked', { revoked: true }, 'the key ci is revoked'],
    ['ended', { notAfter: now }, 'the key ci ended on 2026-06-01'],
    ['ended long ago', { notAfter: Date.parse('2020-01-01') }, 'the key ci ended on 2020-01-01'],
    ['of another namespace', { namespaces: ['dev/ci'] }, 'the key ci may not write main'],
    ['of no namespace', { namespaces: [] }, 'the key ci may not write main'],
    [
      'of a namespace that begins the same',
      { namespaces: ['main/x', 'mai'] },
      'the key ci may not write main',
    ],
  ])('%s', (_, over, message) => {
    expect(open(good, { signer: { ...ci.trusted, ...over } })).toBe(message)
  })

  test('until its last moment it may', () => {
    expect(open(good, { signer: { ...ci.trusted, notAfter: now + 1 } })).toEqual(content)
  })
})

describe('an entry counts only where it was signed for', () => {
  test.each([
    ['project', { project: 'project-2' }, 'the entry was signed for another project'],
    ['subject', { subject: digest('9') }, 'the entry was signed for another subject'],
  ])('another %s', (_, over, message) => {
    expect(open(good, { place: over })).toBe(message)
  })

  test('a developer\u2019s entry shown as one of main', () => {
    const own = signEntry({ ...place, namespace: 'dev/alice' }, content, alice.own)
    expect(open(own, { signer: alice.trusted })).toBe('the key alice may not write main')
    expect(open(own, { signer: ci.trusted })).toBe(
      `the entry has no valid signature of ${ci.own.id.slice(0, 12)}`,
    )
    const greedy = { ...alice.trusted, namespaces: ['dev/alice', 'main'] }
    expect(open(own, { signer: greedy })).toBe('the entry was signed for another namespace')
  })

  test('signed by a key nobody trusts', () => {
    const stranger = signingKey('ci', ['main'])
    expect(open(signEntry(place, content, stranger.own))).toBe(
      `the entry has no valid signature of ${ci.own.id.slice(0, 12)}`,
    )
  })
})

const parsed = (): Envelope => JSON.parse(good.toString()) as Envelope
const changed = (change: (envelope: Envelope) => unknown): Buffer => {
  const envelope = parsed()
  return Buffer.from(JSON.stringify(change(envelope) ?? envelope))
}
const unsigned = `the entry has no valid signature of ${ci.own.id.slice(0, 12)}`

describe('an envelope that was touched counts for nothing', () => {
  test.each<[string, Buffer, string]>([
    ['nothing', Buffer.alloc(0), 'the entry is not JSON'],
    ['text', Buffer.from('hello'), 'the entry is not JSON'],
    ['null', Buffer.from('null'), 'the entry is not an object'],
    ['an array', Buffer.from('[]'), 'the entry has no payload'],
    ['cut', good.subarray(0, good.length - 5), 'the entry is not JSON'],
    ['no signatures', changed((it) => ({ ...it, signatures: [] })), unsigned],
    [
      'signatures missing',
      changed(({ payloadType, payload }) => ({ payloadType, payload })),
      'the entry has no list of signatures',
    ],
    [
      'signatures no list',
      changed((it) => ({ ...it, signatures: {} })),
      'the entry has no list of signatures',
    ],
    [
      'too many signatures',
      changed((it) => ({ ...it, signatures: Array.from({ length: 17 }, () => it.signatures[0]) })),
      'the entry has no list of signatures',
    ],
    ['a null signature', changed((it) => ({ ...it, signatures: [null] })), unsigned],
    ['an empty signature', changed((it) => void (it.signatures[0]!.sig = '')), unsigned],
    ['a signature that is no base64', changed((it) => void (it.signatures[0]!.sig += '!')), unsigned],
    [
      'a signature with one bit changed',
      changed((it) => void (it.signatures[0]!.sig = flipped(it.signatures[0]!.sig))),
      unsigned,
    ],
    ['the payload with one bit changed', changed((it) => void (it.payload = flipped(it.payload))), unsigned],
    ['the payload cut', changed((it) => void (it.payload = it.payload.slice(0, -4))), unsigned],
    ['the payload empty', changed((it) => void (it.payload = '')), unsigned],
    ['the payload no text', changed((it) => ({ ...it, payload: 1 })), 'the entry has no payload'],
    ['the payload no base64', changed((it) => void (it.payload += '*')), 'the entry has no payload'],
    [
      'another type',
      changed((it) => void (it.payloadType = 'text/plain')),
      'the entry is of the type "text/plain"',
    ],
    ['no type', changed((it) => ({ ...it, payloadType: undefined })), 'the entry has no payload'],
  ])('%s', (_, bytes, message) => {
    expect(open(bytes)).toBe(message)
  })

  test('a wrong signature beside the right one does no harm, and a wrong key id none either', () => {
    const sig = parsed().signatures[0]!
    const both = changed((it) => ({
      ...it,
      signatures: [
        { keyid: 'x', sig: flipped(sig.sig) },
        { ...sig, keyid: 'y' },
      ],
    }))
    expect(open(both)).toEqual(content)
  })

  test('signed under another type it is not taken for an entry', () => {
    const payload = Buffer.from(parsed().payload, 'base64')
    const other = signEnvelope('application/vnd.img.other+json', payload, ci.own)
    expect(open(other)).toBe('the entry is of the type "application/vnd.img.other+json"')
    const renamed = JSON.parse(other.toString()) as Envelope
    renamed.payloadType = parsed().payloadType
    expect(open(Buffer.from(JSON.stringify(renamed)))).toBe(unsigned)
  })

  test('a signature over the bare payload is none', () => {
    const payload = Buffer.from(parsed().payload, 'base64')
    const bare = sign(null, payload, ci.own.key).toString('base64')
    expect(open(changed((it) => void (it.signatures[0]!.sig = bare)))).toBe(unsigned)
  })
})

const resigned = (change: (payload: Record<string, unknown>) => unknown): Buffer => {
  const payload = JSON.parse(Buffer.from(parsed().payload, 'base64').toString()) as Record<string, unknown>
  const next = change(payload) ?? payload
  return signEnvelope(parsed().payloadType, Buffer.from(JSON.stringify(next)), ci.own)
}
const withRecord = (over: Partial<LayerRecord>): Buffer =>
  resigned((payload) => ({ ...payload, record: { ...record, ...over } }))

describe('what a trusted key signed is still checked', () => {
  test.each<[string, Buffer, string]>([
    ['not an object', resigned(() => [1]), 'the entry is not a JSON object'],
    ['a newer format', resigned((it) => ({ ...it, format: 2 })), 'the entry has the format 2'],
    ['an unknown kind', resigned((it) => ({ ...it, kind: 'other' })), 'the entry is a "other"'],
    ['no record', resigned((it) => ({ ...it, record: undefined })), 'the record in it has no valid object'],
    ['a record of another key', withRecord({ key: digest('9') }), 'the record in it is of another key'],
    [
      'a record of other inputs',
      withRecord({ keyRecord: { format: 1, steps: [1] } }),
      'the record in it is not of the inputs its key stands for',
    ],
    [
      'a file that climbs',
      withRecord({ artifact: { '../x': artifactFile } }),
      'the record in it has a file whose name is none',
    ],
    [
      'a hidden file',
      withRecord({ artifact: { '.x': artifactFile } }),
      'the record in it has a file whose name is none',
    ],
    [
      'a file of negative size',
      withRecord({ artifact: { x: { ...artifactFile, size: -1 } } }),
      'the record in it has no valid artifact.x.size',
    ],
    [
      'a pack that is no digest',
      withRecord({ artifact: { x: { ...artifactFile, packs: ['../../x'] } } }),
      'the record in it has no valid artifact.x.packs.0',
    ],
    [
      'a pack nobody lists',
      withRecord({ artifact: { x: { ...artifactFile, packs: [digest('8')] } } }),
      'the entry lacks a pack its record needs',
    ],
    ['no packs', resigned((it) => ({ ...it, packs: undefined })), 'the entry has no packs'],
    [
      'a huge pack',
      resigned((it) => ({ ...it, packs: { [digest('3')]: { size: 2 ** 40, footer: digest('4') } } })),
      'the entry has a pack that cannot be',
    ],
    [
      'a pack of no size',
      resigned((it) => ({ ...it, packs: { [digest('3')]: { footer: digest('4') } } })),
      'the entry has a pack that cannot be',
    ],
    [
      'a footer that is no digest',
      resigned((it) => ({ ...it, packs: { [digest('3')]: { size: 5, footer: '..' } } })),
      'the entry has a pack that cannot be',
    ],
    [
      'a pack id that is none',
      resigned((it) => ({ ...it, packs: { ...content.packs, x: { size: 5, footer: digest('4') } } })),
      'the entry has a pack that cannot be',
    ],
    ['a log that is no digest', resigned((it) => ({ ...it, log: '../log' })), 'the entry names no log'],
    [
      'a value that is no digest',
      resigned((it) => ({ ...it, kind: 'value', blob: 'x' })),
      'the entry names no value',
    ],
  ])('%s', (_, bytes, message) => {
    expect(open(bytes)).toBe(message)
  })
})

test('keys of other kinds than ed25519 are no keys', () => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  expect(readPublicKey(renderPublicKey(publicKey))).toBeUndefined()
  const { publicKey: x25519 } = generateKeyPairSync('x25519')
  expect(readPublicKey(renderPublicKey(x25519))).toBeUndefined()
  expect(readPublicKey('')).toBeUndefined()
})

test('who counts in a namespace', () => {
  const old = signingKey('old', ['main'], { notAfter: now - 1 })
  const gone = signingKey('gone', ['main'], { revoked: true })
  const keys = { project: 'project-1', keys: [old, ci, gone, alice].map(({ trusted }) => trusted) }
  expect(signersOf(keys, 'main', now).map(({ name }) => name)).toEqual(['ci'])
  expect(signersOf(keys, 'dev/alice', now).map(({ name }) => name)).toEqual(['alice'])
  expect(signersOf(keys, 'dev/bob', now)).toEqual([])
})

function flipped(base64: string): string {
  const bytes = Buffer.from(base64, 'base64')
  bytes[3]! ^= 1
  return bytes.toString('base64')
}
