// An input after the outside was asked: what the key needs, what the record keeps, how the build gets the bytes.

import type { RecordedInput } from '../../cache/store.ts'
import type { CatalogFacts } from '../plan/recipe.ts'

export interface ResolvedInput extends RecordedInput {
  /** False for what enters the key only through the steps made of it (`text`, `catalog`). */
  readonly inKey: boolean
  /** What `Facts` hands to the recipe. */
  readonly value?: { readonly path: string; readonly content: string } | CatalogFacts | string
  /** Absolute paths of every file and folder that was looked at: while none of them changes, the answer does not. */
  readonly seen?: readonly string[]
  /** Of a catalog: where each resource is declared, `FILE:LINE` by reference. */
  readonly locations?: Readonly<Record<string, string>>
  /** Lays the bytes out under a not yet existing path for the backend; absent when there is nothing to stage. */
  readonly stage?: (to: string) => Promise<void>
}
