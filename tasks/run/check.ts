// `build --check`: a recorded layer built once more from the same key must come out the same.

import type { LayerRecord } from '../../cache/store.ts'
import type { RunContext } from '../context.ts'
import { ImgError } from '../errors.ts'
import type { CachedLayer } from '../plan/decision.ts'
import type { GraphLayer } from '../plan/graph.ts'
import { buildLayer } from './execute.ts'
import type { LayerBench } from './layer-bench.ts'
import type { ResolvedInput } from './resolved.ts'

/** A layer without parent must be the same bytes, one with a parent the same tree. */
export async function checkLayer(
  entry: GraphLayer,
  decision: CachedLayer<ResolvedInput>,
  run: { readonly bench: LayerBench; readonly context: RunContext },
): Promise<void> {
  const { emit } = run.context
  emit({ event: 'layer-start', layer: entry.name, key: decision.key })
  const first = decision.record as LayerRecord
  const second = await buildLayer(entry, decision, { ...run, because: [] })
  const same = sameBytes(first, second)
  if (first.treeDigest !== second.treeDigest || (entry.from === undefined && !same)) {
    const what = first.treeDigest === second.treeDigest ? 'the same files in other bytes' : 'other files'
    throw new ImgError('CHECK_DIFFERS', `${entry.name} built again gave ${what}`, {
      layer: entry.name,
      wanted: first.treeDigest,
      found: second.treeDigest,
      hint: 'find what its steps take from the time, the network or chance; the record is kept as it was',
    })
  }
  const told = same ? 'the same bytes' : 'the same files, in other blocks'
  emit({ event: 'note', layer: entry.name, text: `built again: ${told} (tree ${second.treeDigest})` })
}

const sameBytes = (first: LayerRecord, second: LayerRecord): boolean => bytesOf(first) === bytesOf(second)

const bytesOf = (record: LayerRecord): string =>
  JSON.stringify(Object.entries(record.artifact).map(([name, file]) => [name, file.diskDigest]))
