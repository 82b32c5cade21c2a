// The installer's run at the bottom of a layer, from the imgfile alone: nothing of it has to be built.

import type { LayerName } from '../plan/recipe.ts'
import { layerOf } from '../plan/graph.ts'
import { makeFacts } from '../plan/inputs.ts'
import { makePhases } from '../plan/phases.ts'
import type { InstallStep } from '../plan/step.ts'
import type { Project } from './project.ts'
import { resolveLayer } from './resolve-layer.ts'
import type { ResolvedInput } from './resolved.ts'

export interface FoundInstall {
  /** Whose chain begins with it. */
  readonly layer: LayerName
  readonly step: InstallStep
  /** Files of the medium with their digests. */
  readonly medium: ResolvedInput['files']
}

/** Undefined where the layer's chain begins in another way. */
export async function findInstall(project: Project, name: LayerName): Promise<FoundInstall | undefined> {
  let entry = layerOf(project.graph, name)
  while (entry.from !== undefined) entry = layerOf(project.graph, entry.from)
  // What else a chain can begin with may need tools to be resolved, which are not built for a question.
  if (!Object.values(entry.layer.recipes[0]?.inputs ?? {}).some(({ kind }) => kind === 'medium'))
    return undefined
  const resolution = await resolveLayer(entry, noTools, project)
  if (!('inputs' in resolution)) return undefined
  const steps = makePhases(entry, makeFacts(entry, resolution.inputs)).flatMap((phase) => phase.steps)
  const step = steps.find((one) => one.do === 'install')
  if (step === undefined) return undefined
  return { layer: entry.name, step, medium: resolution.inputs[step.input]?.files ?? [] }
}

function noTools(name: LayerName): never {
  throw new Error(`an installer needs nothing of ${name} to be known`)
}
