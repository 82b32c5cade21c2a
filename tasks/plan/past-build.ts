// What the plan needs to know of a build that happened. The store's LayerRecord is one; tests write their own.

import type { JsonValue } from './step.ts'

export interface PastBuild {
  readonly key: string
  readonly layer: string
  /** The preimage of `key`. */
  readonly keyRecord: JsonValue
  readonly treeDigest: string
  readonly artifact: Readonly<Record<string, { readonly dataBytes: number }>>
  readonly inputs: Readonly<Record<string, PastInput>>
  /** By layer name. */
  readonly parents: Readonly<Record<string, { readonly key: string; readonly treeDigest: string }>>
  /** Milliseconds; `total` is the wall time, everything else a part of it. */
  readonly durations: Readonly<Record<string, number>>
  /** From another folder than this project's. */
  readonly elsewhere?: true
}

export interface PastInput {
  readonly kind: string
  readonly digest: string
  readonly files: readonly { readonly path: string; readonly digest: string; readonly mode?: string }[]
}

/** How long a build will take, judged by those before: their median, since one slow mirror is no rule. */
export function expectedDuration(builds: readonly Pick<PastBuild, 'durations'>[]): number | undefined {
  const totals = builds
    .map(({ durations }) => durations['total'] ?? sum(Object.values(durations)))
    .filter((total) => total > 0)
    .toSorted((a, b) => a - b)
  const middle = Math.floor(totals.length / 2)
  const upper = totals[middle]
  const lower = totals[totals.length - 1 - middle]
  return upper === undefined || lower === undefined ? undefined : Math.round((upper + lower) / 2)
}

/** Bytes of an artifact that are not in holes. */
export const artifactBytes = (build: PastBuild): number =>
  sum(Object.values(build.artifact).map((file) => file.dataBytes))

const sum = (numbers: readonly number[]): number => numbers.reduce((total, next) => total + next, 0)
