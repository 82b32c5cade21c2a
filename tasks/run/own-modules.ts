// The modules an imgfile imports from us, as package.json lists them.

import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** `imgfile`, `imgfile/recipes`… */
export const ownSpecifiers = (): string[] => Object.keys(ownModules())

/** URL in this installation by specifier: compiled modules, or the sources when run from them. */
export function ownModules(): Readonly<Record<string, string>> {
  const fromSource = import.meta.url.endsWith('.ts')
  const root = new URL(fromSource ? '../../' : '../../../', import.meta.url)
  const manifest = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
    readonly exports: Readonly<Record<string, string | { readonly source: string; readonly default: string }>>
  }
  const modules: Record<string, string> = {}
  for (const [subpath, target] of Object.entries(manifest.exports)) {
    if (typeof target === 'string') continue
    const url = new URL(fromSource ? target.source : target.default, root).href
    if (existsSync(fileURLToPath(url))) modules[subpath.replace(/^\./, 'imgfile')] = url
  }
  return modules
}
