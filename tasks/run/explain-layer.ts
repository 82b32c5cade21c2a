// What `img why` knows: what a build would do with a layer, and what differs from the build before.

import { ImgError } from '../errors.ts'
import { renderChange } from '../plan/change.ts'
import type { Decision } from '../plan/decision.ts'
import { explain } from '../plan/explain.ts'
import type { PastBuild } from '../plan/past-build.ts'
import { makePlan, type PlannedLayer } from '../plan/plan.ts'
import { select } from '../plan/select.ts'
import { decideLayers } from './decide.ts'
import {
  changesOf,
  type ChainLink,
  downstreamOf,
  type Downstream,
  explainChain,
  locateChanges,
} from './explain-chain.ts'
import type { Against } from './find-against.ts'
import { latestBuild, type LatestBuild } from './latest-build.ts'
import { makeOracle } from './oracle.ts'
import type { Project } from './project.ts'
import type { ResolvedInput } from './resolved.ts'

export interface Explanation {
  readonly name: string
  readonly action: PlannedLayer['action']
  readonly reason: string
  /** What differs from the previous build, in words, most important first; empty when there is nothing to compare. */
  readonly changes: readonly string[]
  /** The newest build, and what differed from the one before it. */
  readonly previous?: {
    readonly key: string
    readonly started: number
    readonly because: readonly string[]
    /** Built from another folder: another clone, or another project that shares the cache. */
    readonly elsewhere?: true
  }
  readonly key?: string
  /** The changes followed to files, lines and commits; through parents, too. */
  readonly chain: readonly ChainLink[]
  /** What stands on the layer and is built again if it changes. */
  readonly downstream: Downstream
  /** What `changes` compares with, when that is not the newest build. */
  readonly against?: {
    readonly key: string
    readonly layer: string
    readonly started: number
    /** The remote it is in, and who sent it. */
    readonly from?: Against['from']
  }
}

/** Exactly one layer; more is a usage error. */
export async function explainLayer(
  project: Project,
  selector: string,
  against?: Against,
): Promise<Explanation> {
  const [name, second] = select(project.graph, [selector])
  if (name === undefined || second !== undefined) {
    throw new ImgError('USAGE', `${selector} is more than one layer`, {
      hint: 'name one: img why role:ceph-node',
    })
  }
  const decisions = await decideLayers(project.graph, [name], makeOracle(project))
  const planned = makePlan(project.graph, [name], decisions).layers.find((layer) => layer.name === name)
  const decision = decisions.get(name)
  if (planned === undefined || decision === undefined) throw new Error(`${name} was not planned`)
  const previous = await latestBuild(project.store, name)
  const differs = against && changesAgainst(decision, against.record)
  return {
    name,
    action: planned.action,
    reason: planned.reason,
    changes: (differs ?? changesOf(decision)).map(renderChange),
    chain: await (differs === undefined
      ? explainChain(project, name, decisions)
      : locateChanges(project, name, differs)),
    downstream: await downstreamOf(project, name),
    ...(against === undefined ? {} : { against: comparedWith(against) }),
    ...(previous === undefined ? {} : { previous: previousOf(previous) }),
    ...(planned.key === undefined ? {} : { key: planned.key }),
  }
}

function previousOf(latest: LatestBuild): NonNullable<Explanation['previous']> {
  const { key, started, because, elsewhere } = latest
  return { key, started, because, ...(elsewhere === undefined ? {} : { elsewhere }) }
}

function comparedWith({ record, from }: Against): NonNullable<Explanation['against']> {
  const { key, layer, started } = record
  return { key, layer, started, ...(from === undefined ? {} : { from }) }
}

function changesAgainst(decision: Decision<ResolvedInput>, against: PastBuild): ReturnType<typeof explain> {
  if (decision.status !== 'undecided') return decision.key === against.key ? [] : explain(against, decision)
  const isOne = decision.waitsFor.length === 1
  throw new ImgError(
    'USAGE',
    `${decision.name} cannot be compared before ${decision.waitsFor.join(', ')} ${isOne ? 'is' : 'are'} here`,
    {
      hint: `run \`img build ${decision.waitsFor.join(' ')}\` first`,
      layer: decision.name,
    },
  )
}
