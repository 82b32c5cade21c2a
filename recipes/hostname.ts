// Another name for the machine than its parent's.

import { checkOptions, invalidOption, isLayerOption, matching } from '../tasks/plan/options.ts'
import type { Layer, Recipe } from '../tasks/plan/recipe.ts'
import { nameMachine } from './bootstrap/identity.ts'
import { hostnamePattern } from '../preseed/read-network.ts'
import { defaultTools } from './tools.ts'

export interface HostnameOptions {
  readonly domain?: string
  readonly tools?: Layer
}

/**
 * Writes /etc/hostname and /etc/hosts.
 *
 * @example layer('base:web', hostname('web', { domain: 'example.org' }), { from: install })
 */
export function hostname(name: string, options: HostnameOptions = {}): Recipe {
  if (typeof name !== 'string' || !hostnamePattern.test(name)) {
    throw invalidOption(
      `hostname: ${JSON.stringify(name)} is no host name`,
      'use letters, digits and -, at most 63; the domain goes into { domain }',
    )
  }
  checkOptions('hostname', options, {
    required: {},
    optional: {
      domain: matching(/^[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*$/, 'no domain name'),
      tools: isLayerOption,
    },
  })
  const { domain, tools = defaultTools } = options
  return {
    name: 'hostname',
    mode: 'chroot',
    parent: 'required',
    inputs: {},
    tools,
    steps: () => nameMachine(name, domain),
  }
}
