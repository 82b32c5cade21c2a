// The options of every recipe whose steps run in a machine. None of them is in the key.

import { isCount, matching, type OptionCheck } from '../tasks/plan/options.ts'
import type { MachineHints } from '../tasks/plan/step.ts'

export interface MachineOptions {
  /** Seconds the script may take; default an hour. */
  readonly limit?: number
  /** Memory of the machine in MiB; default 1024. */
  readonly memory?: number
  /** What the machine boots with; default `bios`. */
  readonly firmware?: 'bios' | 'uefi'
}

export const machineRules: Readonly<Record<keyof MachineOptions, OptionCheck>> = {
  limit: isCount,
  memory: isCount,
  firmware: matching(/^(bios|uefi)$/, 'not bios or uefi'),
}

export function machineHints(options: MachineOptions): MachineHints & { readonly memory: number } {
  const { limit, memory = 1024, firmware } = options
  return {
    memory,
    ...(limit === undefined ? {} : { limit }),
    ...(firmware === undefined ? {} : { firmware }),
  }
}
