// The world as decide.ts asks for it: a project's store, lock file and input files.

import { debianArchitecture } from './apt-indexes.ts'
import type { Oracle } from './decide.ts'
import { latestBuild } from './latest-build.ts'
import type { Project } from './project.ts'
import { resolveLayer } from './resolve-layer.ts'

export function makeOracle(project: Project): Oracle {
  return {
    arch: debianArchitecture(),
    resolve: (entry, decisionOf) => resolveLayer(entry, decisionOf, project),
    find: async (key) => {
      const here = await project.store.find(key)
      if (here.hit) return here
      const found = await (await project.remotes())?.find(key)
      if (found === undefined) return here
      const missingBytes = await project.store.missingBytes(found.entry.packs)
      return { hit: true, record: found.record, remote: found.name, missingBytes }
    },
    latest: (layer) => latestBuild(project.store, layer),
  }
}
