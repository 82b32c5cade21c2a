import type { LayerUsage } from '../../cache/layer-usage.ts'
import type { StoreStats } from '../../cache/store-stats.ts'
import { formatBytes, formatTable } from '../reporters/format.ts'
import type { Command } from './command.ts'

export const cacheStats: Command = {
  name: 'cache stats',
  summary: 'say how much the cache and each layer in it hold',
  arguments: '',
  options: [],
  example: 'img cache stats',
  run: async (call, context) => {
    const [{ openStore }, { measureTrees }] = await Promise.all([
      import('../../cache/open-store.ts'),
      import('../run/collect-trees.ts'),
    ])
    const store = await openStore({ dir: context.cacheDir, now: context.now })
    try {
      const stats = { ...(await store.stats()), tools: measureTrees(context.cacheDir) }
      const layers = await store.usage()
      call.print(
        call.json
          ? { dir: store.dir, ...stats, layers }
          : `${renderStats(store.dir, stats)}${renderUsage(layers)}`,
      )
      return 0
    } finally {
      await store.close()
    }
  },
}

/** Pure. */
export function renderStats(
  dir: string,
  stats: StoreStats & { readonly tools: StoreStats['disks'] },
): string {
  return formatTable([
    ['cache', dir],
    ['packs', `${stats.packs}, ${formatBytes(stats.packBytes)}`],
    ['chunks', `${stats.chunks}, ${formatBytes(stats.chunkBytes)} before compression`],
    ['maps', String(stats.maps)],
    ['records', String(stats.records)],
    ['values', String(stats.values)],
    ['disks', `${stats.disks.count}, ${formatBytes(stats.disks.bytes)}`],
    ['tools', `${stats.tools.count}, ${formatBytes(stats.tools.bytes)}`],
  ])
}

/** Pure. */
export function renderUsage(layers: readonly LayerUsage[]): string {
  if (layers.length === 0) return ''
  const head = ['layer', 'size', 'data', 'unique', 'shared', 'compressed', 'would free']
  const rows = layers.map(({ layer, logical, data, unique, shared, compressed, frees }) => [
    layer,
    ...[logical, data, unique, shared, compressed, frees].map(formatBytes),
  ])
  return `\n${formatTable([head, ...rows])}`
}
