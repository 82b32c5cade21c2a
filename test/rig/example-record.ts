import type { LayerRecord } from '../../cache/store.ts'

/** A record that says nothing in particular. */
export function exampleRecord(record: Partial<LayerRecord>): LayerRecord {
  return {
    format: 1,
    key: 'a'.repeat(64),
    layer: 'base:trixie',
    keyRecord: { format: 1, steps: [{ do: 'seal', epoch: 0 }] },
    artifact: {},
    treeDigest: 'd'.repeat(64),
    inputs: {
      preseed: { kind: 'file', digest: 'e'.repeat(64), files: [{ path: 'a.cfg', digest: 'f'.repeat(64) }] },
    },
    parents: { 'install:trixie': { key: '1'.repeat(64), treeDigest: '2'.repeat(64) } },
    because: ['never built'],
    backend: 'namespace',
    tools: { e2fsprogs: '1.47.2' },
    started: 1_700_000_000_000,
    durations: { build: 1234 },
    log: 'log:1',
    ...record,
  }
}
