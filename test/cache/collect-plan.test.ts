import { expect, test } from 'vitest'
import { planCollection, type StoredRecord } from '../../cache/collect-plan.ts'

const mib = 1024 * 1024
const day = 24 * 60 * 60 * 1000
const now = 1000 * day

const record = (key: string, change: Partial<StoredRecord> = {}): StoredRecord => ({
  key,
  layer: 'base:trixie',
  started: now - 60 * day,
  duration: 60_000,
  pinned: false,
  newestOfProject: false,
  packs: [key],
  ...change,
})

function verdicts(
  records: readonly StoredRecord[],
  rules: { last?: number; days?: number; maxBytes?: number },
  sizes: Readonly<Record<string, number>> = {},
): Readonly<Record<string, string>> {
  const packSizes = new Map(Object.entries(sizes))
  const plan = planCollection(records, packSizes, { last: 1, days: 30, now, ...rules })
  return Object.fromEntries(
    plan.map(({ record: { key }, keep, reason }) => [key, `${keep ? 'kept' : 'gone'}: ${reason}`]),
  )
}

test('each project keeps its newest, however many another one has built since', () => {
  const records = [
    record('theirs', { newestOfProject: true }),
    record('old'),
    record('ours', { started: now - 40 * day, newestOfProject: true }),
  ]
  const kept = { ours: 'kept: newest of its layer', theirs: 'kept: newest of its layer in a project' }
  const gone = 'gone: as it is older than 30 days and not among the newest 1 of its layer'
  expect(verdicts(records, {})).toEqual({ ...kept, old: gone })
  expect(Object.values(verdicts(records, { last: 0 })).every((verdict) => verdict.startsWith('gone'))).toBe(
    true,
  )
  // Where there is no room, it goes last.
  const sizes = { theirs: 10 * mib, old: mib, ours: 10 * mib }
  expect(verdicts(records, { days: 100, maxBytes: 20 * mib }, sizes)).toMatchObject({
    old: 'gone: to stay below 20 MiB: frees 1 MiB and took 60 s to build',
    theirs: kept.theirs,
  })
})

test('the newest of each layer, the young and the pinned are kept', () => {
  const records = [
    record('old'),
    record('pinned', { pinned: true }),
    record('young', { started: now - 29 * day }),
    record('newest', { started: now - 10 * day }),
    record('other', { layer: 'role:web' }),
  ]
  expect(verdicts(records, {})).toEqual({
    newest: 'kept: newest of its layer',
    young: 'kept: younger than 30 days',
    old: 'gone: as it is older than 30 days and not among the newest 1 of its layer',
    pinned: 'kept: pinned',
    other: 'kept: newest of its layer',
  })
  expect(verdicts(records, { days: 0, last: 2 })['old']).toBe(
    'gone: as it is not among the newest 2 of its layer',
  )
  expect(Object.values(verdicts(records, { last: 9 }))).not.toContain('gone')
})

test('what is large and quick to rebuild goes first, the newest of a layer last', () => {
  const records = [
    record('slow', { layer: 'a', started: now, duration: 600_000 }),
    record('quick', { layer: 'b', started: now, duration: 10_000 }),
    record('older', { layer: 'c', started: now - day, duration: 600_000 }),
    record('newer', { layer: 'c', started: now, duration: 600_000 }),
  ]
  const sizes = { slow: 100 * mib, quick: 100 * mib, older: 10 * mib, newer: 10 * mib }
  expect(verdicts(records, { maxBytes: 215 * mib }, sizes)).toMatchObject({
    older: 'gone: to stay below 215 MiB: frees 10 MiB and took 600 s to build',
    quick: 'kept: newest of its layer',
  })
  expect(verdicts(records, { maxBytes: 120 * mib }, sizes)).toMatchObject({
    older: 'gone: to stay below 120 MiB: frees 10 MiB and took 600 s to build',
    quick: 'gone: to stay below 120 MiB: frees 100 MiB and took 10 s to build',
    slow: 'kept: newest of its layer',
  })
  expect(Object.keys(verdicts(records, { maxBytes: 0 }, sizes))).toHaveLength(4)
})

test('a pack that two builds need is freed by neither alone, and pinned builds stay whatever the limit', () => {
  const records = [
    record('one', { layer: 'a', packs: ['shared', 'one'] }),
    record('two', { layer: 'b', packs: ['shared', 'two'], pinned: true }),
  ]
  const sizes = { shared: 100 * mib, one: 5 * mib, two: mib }
  expect(verdicts(records, { maxBytes: 0 }, sizes)).toEqual({
    one: 'gone: to stay below 0 MiB: frees 5 MiB and took 60 s to build',
    two: 'kept: pinned',
  })
})
