// What building one layer needs from the rest of the world; tests give a fake backend and a store in a temporary folder.

import type { Digested } from '../../cache/mirror/content.ts'
import type { LocalStore } from '../../cache/open-store.ts'
import type { AptAccess } from '../backends/backend.ts'
import type { GraphLayer } from '../plan/graph.ts'
import type { AptInput } from '../plan/recipe.ts'
import type { Mode } from '../plan/step.ts'
import type { BackendChoice } from './choose-backend.ts'
import type { ResolvedInput } from './resolved.ts'

export interface LayerBench {
  readonly arch: string
  readonly store: LocalStore
  /** Which backends have the mode, and which of them work here. */
  readonly backendsFor: (mode: Mode) => Promise<BackendChoice>
  /** Folder of an unpacked tool tree, by the key it was built under. */
  readonly toolsOf: (key: string) => Promise<string>
  /** How an apt input is reached; the mirror starts when first asked. */
  readonly aptAccess: (input: AptInput) => Promise<AptAccess>
  /** What builds got of the mirror since it started. */
  readonly served: () => Promise<readonly Digested[]>
  /** The inputs once more, as they are now. */
  readonly resolveAgain: (entry: GraphLayer) => Promise<Readonly<Record<string, ResolvedInput>>>
}
