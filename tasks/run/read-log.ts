// A layer's kept raw output: of its newest build, or of a build that failed after it.

import { latestBuild, warnElsewhere } from './latest-build.ts'
import type { Project } from './project.ts'
import { projectIdentity } from './project-identity.ts'

/** Where the output of a layer's failed build is noted. */
export const failedKey = (root: string, layer: string): string => `failed:${projectIdentity(root)}/${layer}`

export interface KeptLog {
  readonly layer: string
  readonly status: 'built' | 'failed'
  /** Milliseconds since 1970. */
  readonly started: number
  readonly text: string
}

export async function readLog(
  { store, context }: Pick<Project, 'store' | 'context'>,
  layer: string,
): Promise<KeptLog | undefined> {
  const built = await latestBuild(store, layer)
  const noted = await store.readValue(failedKey(context.root, layer))
  const failed =
    noted === undefined ? undefined : (JSON.parse(noted.toString()) as { started: number; log: string })
  const newest =
    failed !== undefined && failed.started > (built?.started ?? -1)
      ? { status: 'failed' as const, ...failed }
      : built && { status: 'built' as const, started: built.started, log: built.log }
  const text = newest === undefined ? undefined : await store.readValue(newest.log)
  if (newest === undefined || text === undefined) return undefined
  if (built !== undefined && newest.status === 'built') warnElsewhere(built, context.emit)
  return { layer, status: newest.status, started: newest.started, text: text.toString() }
}
