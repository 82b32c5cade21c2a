// Everything a layer's steps read, brought to where backends reach it.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { AptAccess } from '../backends/backend.ts'
import type { GraphLayer } from '../plan/graph.ts'
import { layerInputs } from '../plan/inputs.ts'
import type { ScriptFunction } from '../plan/recipe.ts'
import type { LayerBench } from './layer-bench.ts'
import type { ResolvedInput } from './resolved.ts'

/** By the names steps use. */
export interface StagedLayer {
  readonly inputs: Readonly<Record<string, string>>
  readonly apt: Readonly<Record<string, AptAccess>>
  readonly scripts: Readonly<Record<string, ScriptFunction>>
}

export async function stageLayer(
  entry: GraphLayer,
  inputs: Readonly<Record<string, ResolvedInput>>,
  to: { readonly directory: string; readonly bench: LayerBench },
): Promise<StagedLayer> {
  return {
    inputs: await stageInputs(inputs, to.directory),
    apt: await aptOf(entry, to.bench),
    scripts: scriptsOf(entry),
  }
}

async function stageInputs(
  inputs: Readonly<Record<string, ResolvedInput>>,
  directory: string,
): Promise<Readonly<Record<string, string>>> {
  const staged: Record<string, string> = {}
  mkdirSync(directory)
  // Numbered: a name may hold a path.
  for (const [place, [name, input]] of Object.entries(inputs).entries()) {
    if (input.stage === undefined) continue
    const to = join(directory, String(place))
    await input.stage(to)
    staged[name] = to
  }
  return staged
}

async function aptOf(entry: GraphLayer, bench: LayerBench): Promise<Readonly<Record<string, AptAccess>>> {
  const access: Record<string, AptAccess> = {}
  for (const { name, declaration } of layerInputs(entry)) {
    if (declaration.kind === 'apt') access[name] = await bench.aptAccess(declaration)
  }
  return access
}

function scriptsOf(entry: GraphLayer): Readonly<Record<string, ScriptFunction>> {
  const scripts = layerInputs(entry).flatMap(({ name, declaration }) =>
    declaration.kind === 'script' ? [[name, declaration.run] as const] : [],
  )
  return Object.fromEntries(scripts)
}
