// The imgfile API: layers are values, a parent is a value, so a typo is a type error before it is anything else.

import type { Recipe } from './recipe.ts'

/** One cached task `kind:name`: recipes applied, in order, on a parent layer. Made by `layer()`. */
export interface Layer {
  readonly name: LayerName
  readonly recipes: readonly Recipe[]
  readonly from: Layer | undefined
  /** Where the imgfile declared it, for messages: `imgfile.ts:12:3`. */
  readonly declaredAt: string | undefined
}

export type LayerName = `${string}:${string}`

export interface Imgfile {
  readonly layers: readonly Layer[]
}
