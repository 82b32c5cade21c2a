import { expect, test } from 'vitest'
import { renderStats } from '../../../tasks/commands/cache-stats.ts'

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
  }
  expect(renderStats('/cache', stats)).toBe(`cache    /cache
packs    2, 64 MiB
chunks   900, 200 MiB before compression
maps     3
records  3
values   7
disks    1, 4.0 KiB
`)
})
