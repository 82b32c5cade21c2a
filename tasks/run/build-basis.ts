// Everything the answer of a build rests on, so that the next one can tell by stat alone that it still holds.

import { dirname, join } from 'node:path'
import { recordFiles } from '../../cache/record-files.ts'
import type { LayerRecord } from '../../cache/store.ts'
import type { Decision } from '../plan/decision.ts'
import type { LayerName } from '../plan/recipe.ts'
import { imgfileNames } from './find-imgfile.ts'
import type { Project } from './project.ts'
import { type Question, remember } from './remembered.ts'
import type { ResolvedInput } from './resolved.ts'

export interface BuildBasis {
  /** Files and folders of the user's: changed a moment ago, they may change again unseen. */
  readonly read: readonly string[]
  /** Files of the store: they never change, they can only go. */
  readonly stored: readonly string[]
  /** Variables the imgfile reads. */
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Undefined when something decides that no stat can tell: a package, a call of the network, a layer that is not cached. */
export function buildBasis(
  project: Project,
  wanted: readonly LayerName[],
  decisions: ReadonlyMap<LayerName, Decision<ResolvedInput>>,
): BuildBasis | undefined {
  const { closure } = project.loaded
  if (closure.outside.length > 0 || Object.keys(closure.packages).length > 0) return undefined
  const read = new Set([...closure.files.map(({ path }) => path), project.lock.path])
  for (const decision of decisions.values()) {
    if (decision.status === 'undecided') return undefined
    for (const { seen } of Object.values(decision.inputs)) {
      if (seen === undefined) return undefined
      for (const path of seen) read.add(path)
    }
  }
  const stored = wanted.map((name) => {
    const decision = decisions.get(name)
    return decision?.status === 'cached'
      ? recordFiles(project.store.dir, decision.record as LayerRecord)
      : undefined
  })
  if (stored.includes(undefined)) return undefined
  return {
    read: [...read],
    stored: stored.flatMap((files) => files ?? []),
    env: Object.fromEntries(closure.env.map((name) => [name, project.context.env[name]])),
  }
}

export function rememberBuild(
  question: Question,
  answer: { readonly output: string; readonly basis: BuildBasis; readonly project: Project },
): void {
  const { basis, output, project } = answer
  const absent = nearerImgfiles(question.cwd, project.loaded.path)
  remember(question, { output, ...basis, absent, now: project.context.now() })
}

/** Where an imgfile, if it were there, would be found before this one. */
function nearerImgfiles(cwd: string, imgfile: string): readonly string[] {
  const paths: string[] = []
  for (let folder = cwd; ; folder = dirname(folder)) {
    for (const name of imgfileNames) {
      if (join(folder, name) === imgfile) return paths
      paths.push(join(folder, name))
    }
    if (folder === dirname(folder)) return paths
  }
}
