import type { Collection } from '../../cache/collect.ts'
import { ImgError } from '../errors.ts'
import { formatBytes, formatTable } from '../reporters/format.ts'
import type { JudgedTree } from '../run/collect-trees.ts'
import type { Command } from './command.ts'

export const cacheGc: Command = {
  name: 'cache gc',
  summary: 'remove what no kept layer needs from the cache',
  arguments: '',
  options: [
    {
      flags: '--keep-last <n>',
      description: 'keep the newest builds of each layer, and the newest one of each project',
      default: 3,
      parse: toCount,
    },
    {
      flags: '--keep-days <n>',
      description: 'keep what was built in the last days',
      default: 30,
      parse: toCount,
    },
    {
      flags: '--max-size <size>',
      description: 'remove more, large and quickly rebuilt first, until packs take no more than this (20G)',
      parse: parseSize,
    },
    { flags: '--dry-run', description: 'say what would be removed, and remove nothing' },
    { flags: '--explain', description: 'say of every build why it is kept or removed' },
  ],
  example: 'img cache gc --keep-last 2 --max-size 20G --dry-run --explain',
  run: async (call, context) => {
    const [{ openStore }, { collectTrees }] = await Promise.all([
      import('../../cache/open-store.ts'),
      import('../run/collect-trees.ts'),
    ])
    const { keepLast, keepDays, maxSize, dryRun, explain } = call.options
    const store = await openStore({ dir: context.cacheDir, now: context.now })
    try {
      const collection = await store.collect({
        last: keepLast as number,
        days: keepDays as number,
        ...(maxSize === undefined ? {} : { maxBytes: maxSize as number }),
        now: context.now(),
        dryRun: dryRun === true,
      })
      const trees = await collectTrees(context.cacheDir, {
        wanted: collection.keptTrees,
        dryRun: dryRun === true,
      })
      const shown = { dryRun: dryRun === true, explain: explain === true }
      call.print(
        call.json
          ? { ...toJson(collection, shown.dryRun), tools: trees }
          : renderCollection({ ...collection, trees }, shown),
      )
      return 0
    } finally {
      await store.close()
    }
  },
}

export type Collected = Pick<Collection, 'verdicts' | 'removed' | 'waiting'> & {
  readonly trees: readonly JudgedTree[]
}

/** Pure. */
export function renderCollection(
  { verdicts, removed, waiting, trees }: Collected,
  { dryRun, explain }: { readonly dryRun: boolean; readonly explain: boolean },
): string {
  const fate = (keep: boolean, reason: string): string =>
    `${keep ? 'kept' : dryRun ? 'would go' : 'removed'}: ${reason}`
  const rows = [
    ...verdicts
      .filter(({ keep }) => explain || !keep)
      .map(({ record, keep, reason }) => [record.layer, record.key.slice(0, 12), fate(keep, reason)]),
    ...trees
      .filter(({ keep }) => explain || !keep)
      .map(({ tree, bytes, keep, reason }) => [
        'tool tree',
        tree.slice(0, 12),
        `${fate(keep, reason)}, ${formatBytes(bytes)}`,
      ]),
  ]
  const gone = trees.filter(({ keep }) => !keep)
  const treeBytes = gone.reduce((sum, { bytes }) => sum + bytes, 0)
  const also =
    gone.length === 0
      ? ''
      : `; ${gone.length === 1 ? '1 unpacked tool tree' : `${gone.length} unpacked tool trees`}, ${formatBytes(treeBytes)}`
  const what = `${packs(removed.packs)}, ${formatBytes(removed.bytes)}${also}`
  const done = dryRun ? `would remove ${what}\n` : `removed ${what}\n`
  const later =
    waiting.packs === 0
      ? ''
      : `${packs(waiting.packs)}, ${formatBytes(waiting.bytes)}, may still be read by what is running; the next gc removes them\n`
  return `${formatTable(rows)}${done}${later}`
}

/** Pure. Bytes, from `500M`, `20G` or a plain number. */
export function parseSize(text: string): number {
  const found = /^(\d+(?:\.\d+)?)([KMGT]?)(?:i?B)?$/i.exec(text)
  if (found === null) {
    throw new ImgError('USAGE', `${JSON.stringify(text)} is no size`, {
      hint: 'give a number of bytes, or one with a unit: 500M, 20G',
    })
  }
  return Math.floor(Number(found[1]) * 1024 ** ' KMGT'.indexOf(found[2]!.toUpperCase() || ' '))
}

function toCount(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text)
  throw new ImgError('USAGE', `${JSON.stringify(text)} is no whole number`, { hint: 'give 0 or more' })
}

const packs = (count: number): string => (count === 1 ? '1 pack' : `${count} packs`)

const toJson = ({ verdicts, removed, waiting }: Collection, dryRun: boolean): object => ({
  dryRun,
  layers: verdicts.map(({ record, keep, reason }) => ({ name: record.layer, key: record.key, keep, reason })),
  removed,
  waiting,
})
