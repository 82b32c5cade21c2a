// What was found when images were compared: kept with both builds, and answered from as long as nothing is another.

import { createHash } from 'node:crypto'
import type { Store, LayerRecord } from '../../cache/store.ts'
import type { ImageDifference } from '../diff/diff-images.ts'
import { titleOf, type ReviewLine } from '../diff/review-list.ts'

/** One comparison as a build remembers it. */
export interface Comparison {
  readonly with: { readonly layer: string; readonly key: string }
  /** Which of the two this build was. */
  readonly as: 'before' | 'after'
  /** Milliseconds since 1970. */
  readonly when: number
  /** But for the reviewed list. */
  readonly equal: boolean
  /** Paths that differ, and paths left out by the list. */
  readonly differing: number
  readonly reviewed: number
}

export interface KeptDifference {
  readonly when: number
  readonly difference: ImageDifference
}

export interface ComparisonOptions {
  readonly times: boolean
  readonly list: readonly ReviewLine[]
}

/** The same two disks, compared in the same way. */
export type ComparisonQuestion = ComparisonOptions & {
  readonly disks: readonly [before: string, after: string]
}

export async function readDifference(
  store: Store,
  question: ComparisonQuestion,
): Promise<KeptDifference | undefined> {
  const kept = await store.readValue(differenceKey(question))
  return kept === undefined ? undefined : (JSON.parse(kept.toString()) as KeptDifference)
}

export async function keepDifference(
  store: Store,
  question: ComparisonQuestion,
  kept: KeptDifference,
): Promise<void> {
  await store.writeValue(differenceKey(question), JSON.stringify(kept))
}

/** Newest first. */
export async function readComparisons(store: Store, key: string): Promise<readonly Comparison[]> {
  const kept = await store.readValue(comparisonsKey(key))
  return kept === undefined ? [] : (JSON.parse(kept.toString()) as readonly Comparison[])
}

/** With both builds; of two comparisons with the same build the newer one counts. */
export async function noteComparison(
  store: Store,
  { before, after }: { readonly before: LayerRecord; readonly after: LayerRecord },
  result: Pick<Comparison, 'when' | 'equal' | 'differing' | 'reviewed'>,
): Promise<void> {
  const note = async (own: LayerRecord, other: LayerRecord, as: Comparison['as']): Promise<void> => {
    const { layer, key } = other
    const others = (await readComparisons(store, own.key)).filter(
      (kept) => kept.with.key !== key || kept.as !== as,
    )
    const all: readonly Comparison[] = [{ with: { layer, key }, as, ...result }, ...others]
    await store.writeValue(comparisonsKey(own.key), JSON.stringify(all.slice(0, comparisonsMax)))
  }
  await note(before, after, 'before')
  await note(after, before, 'after')
}

const comparisonsMax = 50

const comparisonsKey = (key: string): string => `comparisons:${key}`

/** Counts up when what is compared, or how, changes: what was found before is then found anew. */
const differenceVersion = 3

function differenceKey({ disks, times, list }: ComparisonQuestion): string {
  const lines = list.map((line) => [titleOf(line), line.reason])
  const said = JSON.stringify([differenceVersion, disks, times, lines])
  return `difference:${createHash('sha256').update(said).digest('hex')}`
}
