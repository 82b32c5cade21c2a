import { expect, test } from 'vitest'
import { renderStats, renderUsage } from '../../../tasks/commands/cache-stats.ts'

test('counts and bytes', () => {
  const stats = {
    packs: 2,
    packBytes: 64 * 1024 ** 2,
    chunks: 900,
    chunkBytes: 200 * 1024 ** 2,
    maps: 3,
    records: 3,
    values: 7,
    disks: { count: 1, bytes: 4096 },
    tools: { count: 1, bytes: 350 * 1024 ** 2 },
  }
  expect(renderStats('/cache', stats)).toBe(`cache    /cache
packs    2, 64 MiB
chunks   900, 200 MiB before compression
maps     3
records  3
values   7
disks    1, 4.0 KiB
tools    1, 350 MiB
`)
})

test('layers with what only they have', () => {
  const usage = {
    layer: 'base:trixie',
    logical: 4096,
    data: 2048,
    unique: 1024,
    shared: 1024,
    compressed: 512,
    frees: 0,
  }
  expect(renderUsage([])).toBe('')
  expect(renderUsage([usage])).toBe(
    '\nlayer        size     data     unique   shared   compressed  would free\n' +
      'base:trixie  4.0 KiB  2.0 KiB  1.0 KiB  1.0 KiB  512 B       0 B\n',
  )
})
