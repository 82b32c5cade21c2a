import { expect, test } from 'vitest'
import { renderRecord, renderRun } from '../../../tasks/commands/show.ts'

test('what was built, from what, with what', () => {
  const file = {
    size: 4 * 1024 ** 3,
    diskDigest: 'd'.repeat(64),
    mapDigest: 'm'.repeat(64),
    packs: [],
    dataBytes: 350 * 1024 ** 2,
    addedBytes: 1,
  }
  const text = renderRecord({
    format: 1,
    key: 'k'.repeat(64),
    layer: 'base:a',
    keyRecord: {},
    artifact: { 'disk.raw': file },
    treeDigest: 't'.repeat(64),
    inputs: {
      '0.preseed': { kind: 'text', digest: 'p'.repeat(64), files: [{ path: 'a.cfg', digest: 'p' }] },
      '0.site': { kind: 'env', digest: 'e'.repeat(64), files: [] },
    },
    parents: { 'install:a': { key: 'i', treeDigest: 'j'.repeat(64) } },
    because: ['never built'],
    backend: 'namespace',
    tools: { mmdebstrap: '1.5.7' },
    started: 0,
    durations: { total: 41_000, 'puppet apply': 12_000 },
    log: 'log:1',
  })
  expect(text).toMatchInlineSnapshot(`
    "layer        base:a
    key          kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk
    tree digest  tttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt
    started      1970-01-01T00:00:00.000Z
    backend      namespace
    disk.raw     4.0 GiB, 350 MiB in use, dddddddddddd
    stands on    install:a jjjjjjjjjjjj
    input        0.preseed: text pppppppppppp, 1 file
    input        0.site: env eeeeeeeeeeee
    tool         mmdebstrap 1.5.7
    took         41 s total
    took         12 s puppet apply
    "
  `)
})

test('a run, with the first line of what a guest said', () => {
  const times = { started: 0, ms: 1000 }
  const text = renderRun({
    format: 1,
    id: '19700101T000000000-abcd',
    ...times,
    status: 'failed',
    root: '/project',
    wanted: ['role:a'],
    layers: [
      {
        name: 'role:a',
        status: 'failed',
        ...times,
        reason: 'it said \u001b[2Jno\nand more',
        steps: [{ label: 'run set -e\nrm x', ...times }],
      },
    ],
  })
  expect(text).toBe(`19700101T000000000-abcd failed, 1.0 s: role:a
role:a  failed  1.0 s  it said \\x1b[2Jno
                1.0 s  run set -e
`)
})
