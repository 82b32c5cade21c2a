// A layer targets are made from.

import { layer } from '../../../tasks/plan/declare.ts'
import type { Layer, LayerName, Traits } from '../../../tasks/plan/recipe.ts'

/** With these traits, as a recipe would give them. */
export const parentLayer = <Given extends Traits = Traits>(name: LayerName, gives?: Given): Layer<Given> =>
  layer<Given, Given>(name, {
    name: 'sample',
    mode: 'chroot',
    inputs: {},
    parent: 'none',
    steps: () => [],
    ...(gives === undefined ? {} : { gives }),
  })

export const debian = {
  suite: 'trixie',
  components: ['main'],
  updates: true,
  security: true,
} as const
