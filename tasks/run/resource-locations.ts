// Where each resource of a layer's catalog is declared now. Empty while the catalog cannot be compiled.

import { closure, layerOf } from '../plan/graph.ts'
import type { LayerName } from '../plan/recipe.ts'
import { decideLayers } from './decide.ts'
import { makeOracle } from './oracle.ts'
import type { Project } from './project.ts'
import { resolveLayer } from './resolve-layer.ts'

/** `site-modules/profile/manifests/base.pp:12`, below the imgfile's folder, by reference. */
export async function readLocations(
  project: Project,
  name: LayerName,
): Promise<Readonly<Record<string, string>>> {
  if (!project.graph.layers.has(name)) return {}
  const decisions = await decideLayers(project.graph, closure(project.graph, [name]), makeOracle(project))
  const resolution = await resolveLayer(
    layerOf(project.graph, name),
    (need) => {
      const decision = decisions.get(need)
      if (decision === undefined) throw new Error(`nothing was decided about ${need}`)
      return decision
    },
    project,
  )
  if (!('inputs' in resolution)) return {}
  return Object.assign(
    {},
    ...Object.values(resolution.inputs).map(({ locations }) => locations ?? {}),
  ) as Record<string, string>
}
