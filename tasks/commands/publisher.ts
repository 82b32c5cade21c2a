// What puts targets of a kind where they are used from.

import type { RunContext } from '../context.ts'
import type { LayerDisks } from '../run/layer-disks.ts'
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
