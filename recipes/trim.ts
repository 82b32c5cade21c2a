// Giving back the free space of an image.

import { checkOptions, isLayerOption } from '../tasks/plan/options.ts'
import type { Layer, Recipe } from '../tasks/plan/recipe.ts'
import { defaultTools } from './tools.ts'

export interface TrimOptions {
  readonly tools?: Layer
}

/**
 * Makes free space holes, so that what was deleted is neither stored nor shipped. A layer made in a chroot ends with
 * it anyway; after a machine ran, this says so.
 *
 * @example layer('base:web', [firstboot('firstboot/puppet-agent.sh'), sysprep(), trim()], { from: install })
 */
export function trim(options: TrimOptions = {}): Recipe {
  checkOptions('trim', options, { required: {}, optional: { tools: isLayerOption } })
  const { tools = defaultTools } = options
  return {
    name: 'trim',
    mode: 'chroot',
    parent: 'required',
    inputs: {},
    tools,
    steps: () => [{ do: 'trim' }],
  }
}
