// What the commands know of a project: the contract between tasks/commands and the library behind it.

import type { LayerRecord, Store } from '../../cache/store.ts'
import type { RunContext } from '../context.ts'
import type { Outcome } from '../plan/outcome.ts'
import type { Layer } from '../plan/recipe.ts'
import type { Question } from './remembered.ts'

export interface Project {
  /** Absolute; its folder is the context's root. */
  readonly imgfile: string
  /** Every layer there is, also parents and tool trees that are not listed, parents first. */
  readonly layers: readonly Layer[]
  readonly store: Store
}

export interface ProjectOptions {
  /** `--imgfile`; absent: looked for upwards. */
  readonly imgfile?: string
  /** `--frozen`: the lock file is not changed. */
  readonly frozen?: boolean
}

export interface PlannedLayer {
  readonly name: string
  readonly action: 'reuse' | 'fetch' | 'build' | 'undecided' | 'skip'
  readonly reason: string
  /** Absent while a parent's tree digest is not known. */
  readonly key?: string
  /** From the layer's own history. */
  readonly expectedMs?: number
  readonly expectedBytes?: number
}

export interface BuildOptions {
  readonly mode: 'fail-fast' | 'keep-going' | 'kill'
  readonly jobs?: number
  /** Build twice and compare. */
  readonly check: boolean
  /** Under what the answer is remembered when nothing had to be done. */
  readonly question?: Question
}

export interface BuiltLayer {
  readonly name: string
  readonly outcome: Outcome
  readonly record?: LayerRecord
}

export interface Explanation {
  readonly name: string
  readonly action: PlannedLayer['action']
  readonly reason: string
  /** What differs from the previous record, in words, most important first; empty when there is nothing to compare. */
  readonly changes: readonly string[]
  readonly previous?: { readonly key: string; readonly started: number }
  readonly key?: string
}

/** A layer's kept raw output: of its newest build, or of a failed one after it. */
export interface KeptLog {
  readonly layer: string
  readonly status: 'built' | 'failed'
  readonly started: number
  readonly text: string
}

export declare function openProject(context: RunContext, options: ProjectOptions): Promise<Project>

/** No selectors: every layer. A selector that matches nothing is LAYER_UNKNOWN. Parents are in the result, parents first. */
export declare function planBuild(
  project: Project,
  selectors: readonly string[],
): Promise<{ readonly layers: readonly PlannedLayer[] }>

export declare function runBuild(
  project: Project,
  selectors: readonly string[],
  options: BuildOptions,
): Promise<readonly BuiltLayer[]>

export declare function explainLayer(project: Project, name: string): Promise<Explanation>

export declare function readLog(project: Project, name: string): Promise<KeptLog | undefined>
