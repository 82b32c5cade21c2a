// A layer's kept raw output: of its newest build, or of a build that failed after it.

import type { Store } from '../../cache/store.ts'

export interface KeptLog {
  readonly layer: string
  readonly status: 'built' | 'failed'
  /** Milliseconds since 1970. */
  readonly started: number
  readonly text: string
}

export async function readLog(store: Store, layer: string): Promise<KeptLog | undefined> {
  const built = await store.latest(layer)
  const noted = await store.readValue(`failed:${layer}`)
  const failed =
    noted === undefined ? undefined : (JSON.parse(noted.toString()) as { started: number; log: string })
  const newest =
    failed !== undefined && failed.started > (built?.started ?? -1)
      ? { status: 'failed' as const, ...failed }
      : built && { status: 'built' as const, started: built.started, log: built.log }
  const text = newest === undefined ? undefined : await store.readValue(newest.log)
  if (newest === undefined || text === undefined) return undefined
  return { layer, status: newest.status, started: newest.started, text: text.toString() }
}
