// Cleaning an image whose machine has run, with virt-sysprep and with what that leaves behind.

import { makeHostKeys } from '../firstboot/first-boot.ts'
import { checkOptions, invalidOption, isLayerOption, isText, listOf } from '../tasks/plan/options.ts'
import type { Layer, Recipe } from '../tasks/plan/recipe.ts'
import type { Step } from '../tasks/plan/step.ts'
import { suggestHint } from '../tasks/plan/suggest.ts'
import { forgotten } from './sysprep/forgotten.ts'
import { defaultOperations, formerOperations, operations, refusedOperations } from './sysprep/operations.ts'
import { defaultTools } from './tools.ts'

export interface SysprepOptions {
  /** virt-sysprep's names, all of them: nothing is added. By default what a machine that ran leaves behind. */
  readonly operations?: readonly string[]
  readonly tools?: Layer
}

/**
 * Removes what a machine that ran has left: identities, logs, leases, caches, and of puppet, cloud-init, the
 * installer and first-boot scripts what virt-sysprep does not know. SSH host keys are made anew at the first boot.
 *
 * @example layer('base:web', [firstboot('firstboot/puppet-agent.sh'), sysprep(), trim()], { from: install })
 */
export function sysprep(options: SysprepOptions = {}): Recipe {
  checkOptions('sysprep', options, {
    required: {},
    optional: { operations: listOf(isText), tools: isLayerOption },
  })
  const { operations: asked = defaultOperations, tools = defaultTools } = options
  for (const name of asked) refuseOperation(name)
  const own = asked.filter((name) => operations.includes(name))
  const former = asked.flatMap((name) => formerOperations[name] ?? [])
  return {
    name: 'sysprep',
    mode: 'chroot',
    parent: 'required',
    inputs: {},
    tools,
    steps: () => [
      ...(own.length === 0 ? [] : [{ do: 'sysprep' as const, operations: [...new Set(own)].toSorted() }]),
      ...former.flatMap(({ steps }): readonly Step[] => steps),
      { do: 'remove', paths: forgotten },
      ...makeHostKeys(),
    ],
    warnings: () => former.map(({ warning }) => ({ text: `sysprep: ${warning}` })),
    // The appliance, beside what virt-sysprep itself takes.
    weight: { memory: 2560, machines: 1 },
  }
}

function refuseOperation(name: string): void {
  const instead = refusedOperations[name]
  if (instead !== undefined) {
    throw invalidOption(`sysprep: the operation ${name} ${instead.reason}`, instead.hint, name)
  }
  if (operations.includes(name) || formerOperations[name] !== undefined) return
  throw invalidOption(
    `sysprep: virt-sysprep has no operation ${JSON.stringify(name)}`,
    suggestHint(name, operations, 'operations'),
    name,
  )
}
