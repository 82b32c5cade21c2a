// A `catalog` input resolved: compiled once per state of the control repository and remembered in the store.

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RecordedInput, Store } from '../../cache/store.ts'
import type { RunContext } from '../context.ts'
import { canonicalJson } from '../plan/canonical.ts'
import type { CatalogFacts, CatalogInput } from '../plan/recipe.ts'
import { type Compile, compileCatalog, type PuppetModule } from './catalog-compile.ts'
import { normaliseCatalog } from './catalog-normal.ts'
import type { RawCatalog } from './catalog-normal.ts'
import { findSources, rewriteSources, stagedSources } from './catalog-sources.ts'
import { listPlugins, listTree, sha256, stageTree, treeDigest } from './catalog-stage.ts'
import type { StagedEntry } from './catalog-stage.ts'
import type { ResolvedInput } from './resolved.ts'

export interface CatalogOptions {
  /** Unpacks the tool tree if need be and gives its folder; called only when something must be compiled. */
  readonly tools: () => Promise<string>
  readonly toolsDigest: string
  readonly context: Pick<RunContext, 'root' | 'signal'>
  readonly store: Pick<Store, 'readValue' | 'writeValue'>
  /** Used instead of starting puppet anew. */
  readonly compile?: Compile
  /** Every file under the environment, in any order. */
  readonly environmentFiles: RecordedInput['files']
}

/**
 * `stage` lays out `sources/<digest>`, `plugins/` and `locations.json` (where each resource is declared). Throws
 * PUPPET_COMPILE, PUPPET_FACT_UNDECLARED and PUPPET_SENSITIVE.
 */
export async function resolveCatalog(input: CatalogInput, options: CatalogOptions): Promise<ResolvedInput> {
  const environment = join(options.context.root, input.environment)
  const name = `catalog:${sha256(canonicalJson(question(input, options)))}`
  const remembered = await options.store.readValue(name)
  const resolved =
    remembered === undefined
      ? await compile(input, { options, environment })
      : (JSON.parse(remembered.toString()) as RememberedCatalog)
  if (remembered === undefined) await options.store.writeValue(name, JSON.stringify(resolved))
  const { value, staged, plugins, locations } = resolved
  return {
    kind: 'catalog',
    digest: sha256(canonicalJson(value)),
    files: options.environmentFiles,
    inKey: false,
    value,
    locations,
    stage: async (to) => {
      await mkdir(join(to, 'sources'), { recursive: true })
      await mkdir(join(to, 'plugins'), { recursive: true })
      for (const [digest, entries] of Object.entries(staged)) {
        await stageTree(environment, { entries, to: join(to, 'sources', digest) })
      }
      await stageTree(environment, { entries: plugins, to: join(to, 'plugins') })
      await writeFile(join(to, 'locations.json'), JSON.stringify(locations))
      if (input.serve === true) await stageServed(environment, to, resolved)
    },
  }
}

interface RememberedCatalog {
  readonly value: CatalogFacts
  /** Entries of each staged source by its digest. */
  readonly staged: Readonly<Record<string, readonly StagedEntry[]>>
  readonly plugins: readonly StagedEntry[]
  readonly locations: Readonly<Record<string, string>>
  readonly modules: readonly PuppetModule[]
  /** Digest of what each source names, by its path in the environment. */
  readonly digests: Readonly<Record<string, string>>
}

/** What a server serves, and what is needed to compare its catalog with ours. */
async function stageServed(environment: string, to: string, resolved: RememberedCatalog): Promise<void> {
  const entries = await listTree(environment, '.')
  await stageTree(environment, { entries: entries ?? [], to: join(to, 'environment') })
  const { modules, digests } = resolved
  await writeFile(join(to, 'served.json'), JSON.stringify({ modules, digests } satisfies Served))
}

/** `served.json`. */
export type Served = Pick<RememberedCatalog, 'modules' | 'digests'>

/** Everything a compilation depends on; what it does not (memory, time, host) must stay out. */
function question(input: CatalogInput, options: CatalogOptions): unknown {
  const files = options.environmentFiles.map(({ path, digest, mode }) => [path, digest, mode ?? ''])
  return {
    format: rememberedFormat,
    tools: options.toolsDigest,
    files: files.toSorted(([a = ''], [b = '']) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
    // The paths in messages and locations begin with it.
    environment: input.environment,
    node: input.node,
    role: input.role,
    facts: input.facts,
  }
}

/** Raised whenever this module or the compile program would give something else for the same question. */
const rememberedFormat = 2

async function compile(
  input: CatalogInput,
  about: { readonly options: CatalogOptions; readonly environment: string },
): Promise<RememberedCatalog> {
  const { options, environment } = about
  const compiled = await (options.compile ?? compileCatalog)(input, {
    tools: await options.tools(),
    environment,
    signal: options.context.signal,
  })
  const { modules } = compiled
  const raw = withUserPaths(compiled.catalog, input.environment)
  const trees = new Map<string, readonly StagedEntry[]>()
  const digests = new Map<string, string>()
  for (const path of findSources(raw, modules)) {
    const tree = await listTree(environment, path)
    if (tree === undefined) continue
    digests.set(path, treeDigest(tree))
    trees.set(treeDigest(tree), tree)
  }
  const rewritten = rewriteSources(raw, { modules, digests })
  const { catalog, locations } = normaliseCatalog(rewritten.catalog)
  const plugins = await listPlugins(environment, modules)
  const used = Object.keys(rewritten.sources).map((path) => path.slice(stagedSources.length + 1))
  return {
    value: { catalog, sources: rewritten.sources, plugins: treeDigest(plugins) },
    staged: Object.fromEntries(used.map((digest) => [digest, trees.get(digest) ?? []])),
    plugins,
    locations,
    modules,
    digests: Object.fromEntries(digests),
  }
}

/** Puppet saw the environment under a path of its own; people know it by the imgfile's. */
function withUserPaths(catalog: RawCatalog, environment: string): RawCatalog {
  const resources = catalog.resources.map((resource) =>
    resource.file === undefined
      ? resource
      : { ...resource, file: resource.file.replace('/run/img/environments/production', environment) },
  )
  return { ...catalog, resources }
}
