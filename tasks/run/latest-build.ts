// The newest build of a layer, as this project sees it: its own, else the newest anybody made with the same cache.

import type { LocalStore } from '../../cache/open-store.ts'
import type { LayerRecord } from '../../cache/store.ts'
import type { Emit } from '../events.ts'

/** `elsewhere`: built from another folder, which may be another clone or another project. */
export type LatestBuild = LayerRecord & { readonly elsewhere?: true }

export async function latestBuild(store: LocalStore, layer: string): Promise<LatestBuild | undefined> {
  const own = await store.latest(layer)
  if (own !== undefined) return own
  const other = await store.latestOfAll(layer)
  return other && { ...other, elsewhere: true }
}

/** For commands that show or read a build without saying whose it is. */
export function warnElsewhere({ layer, elsewhere }: LatestBuild, emit: Emit): void {
  if (elsewhere === undefined) return
  emit({
    event: 'warning',
    layer,
    text: 'not built from this folder yet: taken is the newest build of another one',
    hint: `other clones and projects share the cache; \`img build ${layer}\` makes one of this folder`,
  })
}
