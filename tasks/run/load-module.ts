// Imports a TypeScript module: natively where Node strips types, else through jiti, the same result either way.
// `imgfile` and its subpaths are this installation, whatever the project has or has not installed: two copies of
// the engine in one process would not know each other's layers.

import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import * as nodeModule from 'node:module'
import { createJiti } from 'jiti'
import { ownModules } from './own-modules.ts'

export type Loader = 'node' | 'jiti'

export async function importModule(
  path: string,
  {
    cacheDir,
    loader = bestLoader(),
    generation = 0,
  }: {
    readonly cacheDir: string
    readonly loader?: Loader | undefined
    readonly generation?: number
  },
): Promise<unknown> {
  const { registerHooks: hooks } = nodeModule as { registerHooks?: RegisterHooks }
  if (loader === 'jiti' || hooks === undefined) return importThroughJiti(path, cacheDir)
  try {
    return await importNatively(path, { registerHooks: hooks, generation })
  } catch (error) {
    // Written for a bundler's resolution or with enums: jiti can, and nothing of it has run yet.
    if (!nativeCannot.has((error as NodeJS.ErrnoException).code ?? '')) throw error
    return importThroughJiti(path, cacheDir)
  }
}

const bestLoader = (): Loader =>
  (process.features as { typescript?: string | false }).typescript ? 'node' : 'jiti'

const nativeCannot: ReadonlySet<string> = new Set([
  'ERR_MODULE_NOT_FOUND',
  'ERR_UNSUPPORTED_DIR_IMPORT',
  'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX',
  'ERR_IMPORT_ATTRIBUTE_MISSING',
])

async function importThroughJiti(path: string, cacheDir: string): Promise<unknown> {
  const virtualModules: Record<string, unknown> = {}
  for (const [specifier, url] of Object.entries(ownModules())) virtualModules[specifier] = await import(url)
  const jiti = createJiti(path, {
    fsCache: join(cacheDir, 'jiti'),
    interopDefault: false,
    tryNative: false,
    virtualModules,
    // A module that was loaded before would be the module as it was.
    moduleCache: false,
  })
  return jiti.import(path)
}

/** The part of Node 22.15's API that Node 20's types do not have. */
type RegisterHooks = (hooks: {
  resolve(specifier: string, context: { parentURL?: string }, next: NextResolve): Resolved
}) => { deregister(): void }
type NextResolve = (specifier: string, context: { parentURL?: string }) => Resolved
interface Resolved {
  readonly url: string
  readonly format?: string | null | undefined
  readonly shortCircuit?: boolean
}

async function importNatively(
  path: string,
  { registerHooks, generation }: { readonly registerHooks: RegisterHooks; readonly generation: number },
): Promise<unknown> {
  const own = ownModules()
  const hooks = registerHooks({
    resolve: (specifier, context, next) => {
      const url = own[specifier]
      if (url !== undefined) return { url, format: 'module', shortCircuit: true }
      const resolved = next(specifier, context)
      // Without it Node would guess from the nearest package.json, and warn about having had to guess.
      const isOurs = resolved.url.startsWith('file:') && !resolved.url.includes('/node_modules/')
      const isTypeScript = isOurs && /\.m?ts$/.test(resolved.url)
      const typed = isTypeScript ? { ...resolved, format: 'module-typescript' } : resolved
      // Node keeps every module it ever loaded, by its URL.
      return isOurs && generation > 0 ? { ...typed, url: `${typed.url}?${generation}` } : typed
    },
  })
  try {
    return await import(`${pathToFileURL(path).href}${generation > 0 ? `?${generation}` : ''}`)
  } finally {
    hooks.deregister()
  }
}
