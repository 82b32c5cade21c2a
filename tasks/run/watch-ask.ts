// Asks about every layer and notes what was read for the answers: that is what `img watch` watches.

import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { canonicalJson } from '../plan/canonical.ts'
import type { GraphLayer } from '../plan/graph.ts'
import { makeFacts } from '../plan/inputs.ts'
import { makePhases } from '../plan/phases.ts'
import type { LayerName } from '../plan/recipe.ts'
import { decideLayers, type Decisions, type Resolution } from './decide.ts'
import type { LocalInput } from './inputs.ts'
import { makeOracle } from './oracle.ts'
import type { Project } from './project.ts'

/** Filled while asking, so that it is there also when an answer cannot be given. */
export interface Asked {
  /** Absolute paths of files and folders that were read, or would have been. */
  readonly seen: Set<string>
  /** What each layer is but for its parents: equal digests, nothing new to build for its own sake. */
  readonly own: Map<LayerName, string>
}

/** Throws what deciding throws. */
export async function askAll(
  project: Project,
  wanted: readonly LayerName[],
  { seen, own }: Asked,
): Promise<Decisions> {
  const digests = new Map<string, string>()
  seen.add(project.lock.path)
  const recording: Project = {
    ...project,
    read: async (declaration, place) => {
      try {
        const resolved = await project.read(declaration, place)
        for (const path of resolved.seen ?? []) seen.add(path)
        digests.set(place, resolved.digest)
        return resolved
      } catch (error) {
        for (const path of wouldRead(declaration, project.context.root)) seen.add(path)
        throw error
      }
    },
  }
  const oracle = makeOracle(recording)
  return decideLayers(project.graph, wanted, {
    ...oracle,
    resolve: async (entry, decisionOf) => {
      const resolution = await oracle.resolve(entry, decisionOf)
      own.set(entry.name, ownDigest(entry, resolution, digests))
      return resolution
    },
  })
}

function ownDigest(entry: GraphLayer, resolution: Resolution, digests: ReadonlyMap<string, string>): string {
  if (!('inputs' in resolution)) {
    // No steps yet, since its tools are not there: the files it will be made of stand for them.
    const read = [...digests].filter(([place]) => place.startsWith(`${entry.name} `))
    return sha256(canonicalJson({ waits: read }))
  }
  const inKey = Object.entries(resolution.inputs).filter(([, input]) => input.inKey)
  return sha256(
    canonicalJson({
      phases: makePhases(entry, makeFacts(entry, resolution.inputs)).map(({ mode, tools, steps }) => [
        mode,
        tools ?? '',
        steps.map((step) => JSON.stringify(step)),
      ]),
      inputs: inKey.map(([name, { digest }]) => [name, digest]),
    }),
  )
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** What must change before it can be read: the file, or the base with everything in it. */
function wouldRead(declaration: LocalInput, root: string): readonly string[] {
  if (declaration.kind === 'text') return [join(root, declaration.path)]
  return declaration.kind === 'files' ? foldersBelow(join(root, declaration.base)) : []
}

function foldersBelow(base: string): string[] {
  const folders = [base, dirname(base)]
  try {
    for (const entry of readdirSync(base, { recursive: true, withFileTypes: true })) {
      if (entry.isDirectory()) folders.push(join(entry.parentPath, entry.name))
    }
  } catch {
    // It is not there, or not readable: the folder above tells when that changes.
  }
  return folders.filter((folder) => !/\/(?:\.git|node_modules)(?:\/|$)/.test(folder))
}
