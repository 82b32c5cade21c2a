// Why a layer is built, followed to where somebody wrote it: the parent's parent, the file, the line, the commit.

import { type Change, renderChange } from '../plan/change.ts'
import type { Decision } from '../plan/decision.ts'
import { type Graph, layerOf } from '../plan/graph.ts'
import { expectedDuration } from '../plan/past-build.ts'
import type { LayerName } from '../plan/recipe.ts'
import { decisionIn, type Decisions } from './decide.ts'
import { latestBuild } from './latest-build.ts'
import { lastCommit, type GitCommit } from './git-commit.ts'
import type { Project } from './project.ts'
import { readLocations } from './resource-locations.ts'

export interface ChainLink {
  readonly layer: string
  readonly change: string
  /** `FILE:LINE` or `FILE`, below the imgfile's folder. */
  readonly at?: string
  readonly commit?: GitCommit
}

/** From the layer down to the ones that changed for their own sake; only changes whose place is known. */
export async function explainChain(
  project: Project,
  name: LayerName,
  decisions: Decisions,
): Promise<readonly ChainLink[]> {
  const links: ChainLink[] = []
  const pending: LayerName[] = [name]
  const seen = new Set<LayerName>()
  for (let at = pending.shift(); at !== undefined; at = pending.shift()) {
    if (seen.has(at)) continue
    seen.add(at)
    const decision = decisionIn(decisions, at)
    const changes = changesOf(decision)
    links.push(...(await locateChanges(project, at, changes)))
    for (const change of changes.slice(0, shownChanges)) {
      if (change.kind === 'parent' && change.now !== undefined) pending.push(change.now as LayerName)
    }
    if (decision.status === 'undecided') pending.push(...decision.waitsFor)
  }
  return links
}

/** Of one layer alone: what else is compared with is not known of its parents. */
export async function locateChanges(
  project: Project,
  name: LayerName,
  changes: readonly Change[],
): Promise<readonly ChainLink[]> {
  const links: ChainLink[] = []
  for (const change of changes.slice(0, shownChanges)) links.push(await locate(project, name, change))
  return links
}

const shownChanges = 10

export function changesOf(decision: Decision): readonly Change[] {
  if (decision.status === 'missing') return decision.changes
  if (decision.status === 'undecided' && decision.ifSame?.action === 'build') return decision.ifSame.changes
  return []
}

async function locate(project: Project, layer: LayerName, change: Change): Promise<ChainLink> {
  const link = { layer, change: renderChange(change) }
  const place = await placeOf(project, layer, change)
  if (place === undefined) return link
  const [, path = place, line] = /^(.*?):(\d+)(?::\d+)?$/.exec(place) ?? []
  const at = line === undefined ? path : `${path}:${line}`
  const where = line === undefined ? { path } : { path, line: Number(line) }
  const commit = await lastCommit(where, project.context)
  return { ...link, at, ...(commit === undefined ? {} : { commit }) }
}

async function placeOf(project: Project, layer: LayerName, change: Change): Promise<string | undefined> {
  if (change.kind === 'file') return change.change === 'removed' ? undefined : change.path
  if (change.kind === 'resource') return (await readLocations(project, layer))[change.resource]
  if (change.kind !== 'step' && change.kind !== 'package' && change.kind !== 'field') return undefined
  const { root } = project.context
  const declared = layerOf(project.graph, layer).layer.declaredAt
  return declared?.startsWith(`${root}/`) === true ? declared.slice(root.length + 1) : declared
}

export interface Downstream {
  /** Everything that stands on the layer, nearest first. */
  readonly layers: readonly string[]
  /** Of their last builds, one after the other. */
  readonly ms: number
}

/** What is to be built again when the layer's content changes. */
export async function downstreamOf(project: Project, name: LayerName): Promise<Downstream> {
  const layers = above(project.graph, name)
  let ms = 0
  for (const layer of layers) {
    const latest = await latestBuild(project.store, layer)
    ms += (latest === undefined ? undefined : expectedDuration([latest])) ?? 0
  }
  return { layers, ms }
}

function above(graph: Graph, name: LayerName): readonly LayerName[] {
  const found = new Set<LayerName>([name])
  // Parents come first in a graph.
  for (const [layer, { needs }] of graph.layers) if (needs.some((need) => found.has(need))) found.add(layer)
  return [...found].slice(1)
}
