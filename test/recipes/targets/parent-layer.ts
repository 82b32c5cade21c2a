// A layer targets are made from.

import { layer } from '../../../tasks/plan/declare.ts'
import type { Layer, LayerName } from '../../../tasks/plan/recipe.ts'

export const parentLayer = (name: LayerName, from?: Layer): Layer =>
  layer(
    name,
    {
      name: 'sample',
      mode: 'chroot',
      inputs: {},
      parent: from === undefined ? 'none' : 'required',
      steps: () => [],
    },
    from === undefined ? {} : { from },
  )
