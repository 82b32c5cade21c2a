// What puts targets of a kind where they are used from.

import { join } from 'node:path'
import { type TargetFiles, targetFiles } from '../../cache/destinations/target-files.ts'
import type { RunContext } from '../context.ts'
import type { LayerDisks } from '../run/layer-disks.ts'
import { openWorkspace } from '../run/workspace.ts'
import type { Call } from './command.ts'

export interface Publishing {
  /** Names of targets, all of which this publisher takes. */
  readonly layers: readonly string[]
  readonly disks: LayerDisks
  readonly call: Call
  /** As it was written. */
  readonly to: string
}

/** Builds what is missing, publishes and prints. */
export type Publisher = (publishing: Publishing, context: RunContext) => Promise<void>

/** `--keep`, of what was replaced. */
export const keepOf = ({ options }: Call): number => (options['keep'] as number | undefined) ?? 2

/** A target's files while `fn` runs, built when they are not there yet. */
export async function withFiles<T>(
  { disks, layer }: { readonly disks: LayerDisks; readonly layer: string },
  { cacheDir }: RunContext,
  fn: (files: TargetFiles) => Promise<T>,
): Promise<T> {
  const names = Object.keys(await disks.files(layer))
  const workspace = await openWorkspace(cacheDir)
  try {
    const folder = join(workspace.path, 'files')
    return await fn(targetFiles(names, { folder, write: (name, to) => disks.restore(layer, name, to) }))
  } finally {
    await workspace.remove()
  }
}
