// What `img why` knows: what a build would do with a layer, and what differs from the build before.

import { ImgError } from '../errors.ts'
import { renderChange } from '../plan/change.ts'
import type { Decision } from '../plan/decision.ts'
import { makePlan, type PlannedLayer } from '../plan/plan.ts'
import { select } from '../plan/select.ts'
import { decideLayers } from './decide.ts'
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
  readonly previous?: { readonly key: string; readonly started: number; readonly because: readonly string[] }
  readonly key?: string
}

/** Exactly one layer; more is a usage error. */
export async function explainLayer(project: Project, selector: string): Promise<Explanation> {
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
  const previous = await project.store.latest(name)
  return {
    name,
    action: planned.action,
    reason: planned.reason,
    changes: changesOf(decision),
    ...(previous === undefined
      ? {}
      : { previous: { key: previous.key, started: previous.started, because: previous.because } }),
    ...(planned.key === undefined ? {} : { key: planned.key }),
  }
}

function changesOf(decision: Decision<ResolvedInput>): readonly string[] {
  if (decision.status === 'missing') return decision.changes.map(renderChange)
  if (decision.status === 'undecided' && decision.ifSame?.action === 'build')
    return decision.ifSame.changes.map(renderChange)
  return []
}
