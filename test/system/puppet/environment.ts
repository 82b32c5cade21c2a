// The control repository of test/fixtures/puppet, changed for a test and resolved with a real puppet.

import { cpSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CatalogFacts, CatalogInput } from '../../../tasks/plan/recipe.ts'
import { puppet } from '../../../recipes/puppet.ts'
import { resolveCatalog } from '../../../tasks/run/catalog.ts'
import { sha256 } from '../../../tasks/run/catalog-stage.ts'
import type { ResolvedInput } from '../../../tasks/run/resolved.ts'
import { writeFiles } from '../../rig/temp-folder.ts'
import type { Trees } from './trees.ts'

export interface Change {
  /** Files to write, below the environment. */
  readonly write?: Readonly<Record<string, string>>
  /** Text to replace in a file. */
  readonly edit?: readonly [path: string, from: string, to: string]
  /** Everything but these folders. */
  readonly without?: string
  readonly input?: Partial<CatalogInput>
}

export async function resolve(trees: Trees, change: Change = {}): Promise<ResolvedInput> {
  const root = mkdtempSync(join(trees.folder, 'project-'))
  const environment = join(root, 'control')
  const fixture = new URL('../../fixtures/puppet/environment', import.meta.url).pathname
  const filter = (path: string): boolean =>
    change.without === undefined || !path.startsWith(`${fixture}/${change.without}`)
  cpSync(fixture, environment, { recursive: true, filter })
  writeFiles(environment, change.write ?? {})
  if (change.edit !== undefined) {
    const [path, from, to] = change.edit
    const old = readFileSync(join(environment, path), 'utf8')
    if (!old.includes(from)) throw new Error(`${path} has no ${from}`)
    writeFiles(environment, { [path]: old.replace(from, to) })
  }
  const { catalog } = puppet({ environment: 'control', role: 'web' }).inputs
  return resolveCatalog({ ...(catalog as CatalogInput), ...change.input }, {
    tools: () => Promise.resolve(trees.tools),
    toolsDigest: 'the tree of this test',
    context: { root, signal: new AbortController().signal },
    store: { readValue: () => Promise.resolve(undefined), writeValue: () => Promise.resolve() },
    environmentFiles: filesOf(environment),
  })
}

export const valueOf = (resolved: ResolvedInput): CatalogFacts => resolved.value as CatalogFacts

function filesOf(environment: string): { path: string; digest: string }[] {
  return readdirSync(environment, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path: path.slice(environment.length + 1), digest: sha256(readFileSync(path)) }))
}
