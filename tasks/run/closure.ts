// Which files an imgfile is made of, and whether they are all there is. Read from the text of the modules, so it holds
// however they are loaded; what only looks like an import (in a comment, say) makes the closure larger, never smaller.

import { createHash } from 'node:crypto'
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { createRequire, isBuiltin } from 'node:module'
import { dirname, join, relative } from 'node:path'

export interface Closure {
  /** The imgfile first, then everything it imports by path, each with the sha256 of its content. */
  readonly files: readonly { readonly path: string; readonly digest: string }[]
  /** Packages by name with their version; `imgfile` itself is not among them. */
  readonly packages: Readonly<Record<string, string>>
  /** Names of the environment variables the modules read. */
  readonly env: readonly string[]
  /**
   * Anything else through which the outside could decide what the imgfile says (`node:fs`, `fetch(`…).
   * When this or `packages` is not empty, equal files do not prove an equal result.
   */
  readonly outside: readonly string[]
}

export function readClosure(imgfile: string): Closure {
  const found: Found = {
    digests: new Map(),
    packages: new Map(),
    env: new Set(),
    outside: new Set(),
  }
  const pending = [imgfile]
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    if (found.digests.has(path)) continue
    const content = readFileSync(path)
    found.digests.set(path, createHash('sha256').update(content).digest('hex'))
    if (!path.endsWith('.json')) pending.push(...scan(content.toString(), path, found))
  }
  return {
    files: [...found.digests].map(([path, digest]) => ({ path, digest })),
    packages: Object.fromEntries([...found.packages].toSorted(([a], [b]) => (a < b ? -1 : 1))),
    env: [...found.env].toSorted(),
    outside: [...found.outside].toSorted(),
  }
}

/** What every path of the closure is called in a digest: the same in every checkout. */
export const portablePath = (root: string, path: string): string => relative(root, path).normalize('NFC')

interface Found {
  readonly digests: Map<string, string>
  readonly packages: Map<string, string>
  readonly env: Set<string>
  readonly outside: Set<string>
}

/** The files a module imports; everything else it mentions goes to `found`. */
function scan(source: string, path: string, found: Found): string[] {
  const files: string[] = []
  for (const [, specifier = ''] of source.matchAll(importPattern)) {
    if (specifier.startsWith('.') || specifier.startsWith('/') || specifier.startsWith('file:')) {
      files.push(...candidates(specifier, path))
    } else if (isBuiltin(specifier)) {
      if (!harmless.has(specifier.replace(/^node:/, ''))) found.outside.add(specifier)
    } else if (specifier !== 'imgfile' && !specifier.startsWith('imgfile/')) {
      files.push(...packageFiles(specifier, path, found))
    }
  }
  const rest = source.replaceAll(
    envPattern,
    (_all, plain: string | undefined, quoted: string | undefined) => {
      found.env.add(plain ?? quoted ?? '')
      return ' '
    },
  )
  for (const [word = ''] of rest.matchAll(outsidePattern)) found.outside.add(word.replaceAll(/\s+/g, ''))
  return files
}

/** `from 'x'`, `import 'x'`, `import('x')`, `require('x')`, with spaces and comments between. */
const importPattern = /\b(?:from|import|require)(?:\s|\/\*[^]*?\*\/|\/\/[^\n]*\n)*\(?\s*['"]([^'"\n]+)['"]/g

const envPattern = /\bprocess\.env(?:\.([A-Za-z_]\w*)|\[\s*['"]([^'"\n]+)['"]\s*\])/g

/** The environment as a whole, the clock, the network, generated code, and imports whose target is computed. */
const outsidePattern =
  /\bprocess\s*(?:\?\.|[.[,;)}])|\b(?:Date|fetch|eval|Function|WebSocket|getBuiltinModule)\s*[.(]|\b(?:performance|crypto|navigator)\s*\.|\bMath\.random\b|\bimport\s*\(\s*[^'"\s]|\brequire\s*\(\s*[^'"\s]/g

/** Builtin modules that answer the same for the same arguments. */
const harmless: ReadonlySet<string> = new Set([
  'assert',
  'assert/strict',
  'buffer',
  'events',
  'path',
  'path/posix',
  'querystring',
  'string_decoder',
  'url',
  'util',
])

/** Every file the specifier could mean; loaders differ in which they take, and one too many does no harm. */
function candidates(specifier: string, importer: string): string[] {
  const base = specifier.startsWith('file:')
    ? decodeURIComponent(new URL(specifier).pathname)
    : specifier.startsWith('/')
      ? specifier
      : join(dirname(importer), specifier.replace(/[?#].*$/, ''))
  const asTypeScript = base.replace(/\.([mc]?)js$/, '.$1ts')
  const names = [base, asTypeScript, ...extensions.flatMap((end) => [base + end, join(base, `index${end}`)])]
  return [...new Set(names)].filter((name) => existsSync(name) && statSync(name).isFile())
}

const extensions = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs', '.json']

/** A package is its version, unless it is linked from outside node_modules and can change without one. */
function packageFiles(specifier: string, importer: string, found: Found): string[] {
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
  for (const folder of createRequire(importer).resolve.paths(name) ?? []) {
    const manifest = join(folder, name, 'package.json')
    if (!existsSync(manifest)) continue
    const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version?: unknown }
    found.packages.set(name, typeof version === 'string' ? version : '')
    if (!realpathSync(manifest).includes('/node_modules/')) found.outside.add(`${name} (linked)`)
    return [manifest]
  }
  found.outside.add(specifier)
  return []
}
