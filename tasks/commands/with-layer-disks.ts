// Layers' disks out of a project, built first where needed: what commands on finished images work with.

import { createHash } from 'node:crypto'
import type { LayerRecord } from '../../cache/store.ts'
import { makeExpectations } from '../backends/boot-expectations.ts'
import type { RunContext } from '../context.ts'
import { ImgError } from '../errors.ts'
import { isTarget } from '../plan/declare.ts'
import { layerOf } from '../plan/graph.ts'
import type { KeyRecord } from '../plan/key.ts'
import type { LayerName } from '../plan/recipe.ts'
import { select } from '../plan/select.ts'
import type { Step } from '../plan/step.ts'
import type { LayerDisks } from '../run/layer-disks.ts'
import type { Project } from '../run/project.ts'
import type { Call } from './command.ts'
import { withProject } from './with-project.ts'

export type WithLayerDisks = <T>(
  call: Call,
  context: RunContext,
  run: (disks: LayerDisks) => Promise<T>,
) => Promise<T>

export const withLayerDisks: WithLayerDisks = (call, context, run) =>
  withProject(call, context, (project) => run(layerDisks(project)))

export function layerDisks(project: Project): LayerDisks {
  const built = new Map<string, Promise<ReadonlyMap<string, LayerRecord>>>()
  const records = (name: string): Promise<ReadonlyMap<string, LayerRecord>> => {
    const found = built.get(name) ?? buildLayer(project, name)
    built.set(name, found)
    return found
  }
  const artifactOf = async (name: string): Promise<LayerRecord['artifact']> =>
    (await records(name)).get(name)?.artifact ?? {}
  const diskOf = async (name: string): Promise<LayerRecord['artifact'][string]> => {
    const file = (await artifactOf(diskLayer(project, name)))['disk.raw']
    if (file !== undefined) return file
    throw new ImgError('USAGE', `${name} has no disk`, {
      hint: 'name a layer whose artifact is a disk',
      layer: name,
    })
  }
  return {
    select: (selectors) => Promise.resolve(select(project.graph, selectors)),
    isTarget: (name) => isTarget(layerOf(project.graph, name as LayerName).layer),
    kind: (name) => layerOf(project.graph, name as LayerName).layer.recipes.at(-1)?.name ?? '',
    isForeign: (name) => layerOf(project.graph, name as LayerName).foreign,
    tools: async (name) => {
      const layer = diskLayer(project, name)
      const tree = layerOf(project.graph, layer as LayerName).recipeTools.find((one) => one !== undefined)
      const key = tree === undefined ? undefined : (await records(layer)).get(layer)?.parents[tree]?.key
      if (key !== undefined) return project.toolsOf(key)
      throw new ImgError('USAGE', `${name} has no disk`, {
        hint: 'name a layer whose artifact is a disk',
        layer: name,
      })
    },
    key: async (name) => {
      const record = (await records(name)).get(name)
      if (record === undefined) throw new Error(`${name} was built and has no record`)
      return record.key
    },
    files: async (name) => {
      const files = Object.entries(await artifactOf(name))
      return Object.fromEntries(files.map(([file, { size }]) => [file, size]))
    },
    restore: async (name, file, to) => {
      const found = (await artifactOf(name))[file]
      if (found === undefined) throw new Error(`${name} has no file ${file}`)
      await project.store.restore(found, to)
    },
    disk: async (name) => project.store.materialise(await diskOf(name)),
    tried: (name) => layerOf(project.graph, name as LayerName).layer.recipes.at(-1)?.tried ?? 'disk',
    digest: async (name) => (await diskOf(name)).diskDigest,
    filesDigest: async (name) => {
      const files = Object.entries(await artifactOf(name)).map(
        ([file, { diskDigest }]) => `${file} ${diskDigest}\n`,
      )
      return createHash('sha256').update(files.toSorted().join('')).digest('hex')
    },
    expectations: async (name) => {
      const record = (await records(name)).get(name)
      return makeExpectations(record === undefined ? [] : await stepsOf(project, name as LayerName, record))
    },
    readValue: (key) => project.store.readValue(key),
    writeValue: (key, value) => project.store.writeValue(key, value),
  }
}

/** A target has files; what one boots is the disk they are made from. */
function diskLayer({ graph }: Project, name: string): string {
  const { layer, from } = layerOf(graph, name as LayerName)
  return isTarget(layer) && from !== undefined ? from : name
}

async function buildLayer(project: Project, name: string): Promise<ReadonlyMap<string, LayerRecord>> {
  const { runBuild } = await import('../build.ts')
  const { layers } = await runBuild(project, [name], { mode: 'fail-fast', check: false })
  const failed = layers.find(({ outcome }) => outcome.status === 'failed')
  if (failed?.outcome.status === 'failed') throw failed.outcome.error
  if (project.context.signal.aborted)
    throw new ImgError('INTERRUPTED', `the build of ${name} was interrupted`)
  return new Map(
    layers.flatMap((layer) => (layer.record === undefined ? [] : [[layer.name, layer.record] as const])),
  )
}

/** Of the layer and all it stands on, parents first; tool trees are no part of the image. */
async function stepsOf(project: Project, name: LayerName, record: LayerRecord): Promise<readonly Step[]> {
  const steps: Step[] = []
  let at: LayerRecord | undefined = record
  for (let layer = layerOf(project.graph, name); at !== undefined;) {
    const { phases }: KeyRecord = at.keyRecord as KeyRecord
    steps.unshift(...phases.flatMap((phase) => phase.steps as unknown as readonly Step[]))
    const parent: { readonly key: string } | undefined =
      layer.from === undefined ? undefined : at.parents[layer.from]
    if (layer.from === undefined || parent === undefined) break
    // A cached layer's parents are not part of a build, so their records are looked up.
    at = (await project.store.find(parent.key)).record
    layer = layerOf(project.graph, layer.from)
  }
  return steps
}
