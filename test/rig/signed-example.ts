// An entry as CI signs it, and whom a test believes.

import { createHash } from 'node:crypto'
import type { RecordEntry } from '../../cache/trust/signed-entry.ts'
import { canonicalJson } from '../../tasks/plan/canonical.ts'
import { signingKey } from './entry-keys.ts'
import { exampleRecord } from './example-record.ts'

export const now = Date.parse('2026-06-01')
export const digest = (letter: string): string => letter.repeat(64)
export const ci = signingKey('ci', ['main'])
export const alice = signingKey('alice', ['dev/alice'])

const keyRecord = { format: 1, steps: [] }
const key = createHash('sha256').update(canonicalJson(keyRecord)).digest('hex')
export const artifactFile = {
  size: 4096,
  diskDigest: digest('1'),
  mapDigest: digest('2'),
  packs: [digest('3')],
  dataBytes: 4096,
  addedBytes: 100,
}
export const record = exampleRecord({ key, keyRecord, artifact: { 'disk.raw': artifactFile } })
export const content: RecordEntry = {
  kind: 'record',
  record,
  packs: { [digest('3')]: { size: 1000, footer: digest('4') } },
  log: digest('5'),
}
export const place = { project: 'project-1', namespace: 'main', subject: key }
export interface Envelope {
  payloadType: string
  payload: string
  signatures: { keyid: string; sig: string }[]
}
