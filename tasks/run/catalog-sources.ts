// Pure. `puppet:///` does not work under `puppet apply --catalog`, so every such source becomes a path in the image's
// /run that is named by content.

import { ImgError } from '../errors.ts'
import type { JsonValue } from '../plan/step.ts'
import type { PuppetModule } from './catalog-compile.ts'
import { reference } from './catalog-normal.ts'
import type { RawCatalog, RawResource } from './catalog-normal.ts'

/** Digest of what a source names; undefined when the environment has no such file or folder. */
export type SourceDigests = ReadonlyMap<string, string | undefined>

/** Paths (relative to the environment) of every source the catalog names, whether they exist or not. */
export function findSources(catalog: RawCatalog, modules: readonly PuppetModule[]): ReadonlySet<string> {
  const found = new Set<string>()
  for (const resource of catalog.resources) {
    for (const source of sourcesOf(resource)) found.add(pathOf(source, { resource, modules }))
  }
  return found
}

/** The same catalog with staged paths, and digest by staged path. */
export function rewriteSources(
  catalog: RawCatalog,
  about: { readonly modules: readonly PuppetModule[]; readonly digests: SourceDigests },
): { readonly catalog: RawCatalog; readonly sources: Readonly<Record<string, string>> } {
  const sources: Record<string, string> = {}
  const resources = catalog.resources.map((resource) => {
    const named = sourcesOf(resource)
    if (named.length === 0) return resource
    const staged = chooseSources(resource, about).map((digest) => `${stagedSources}/${digest}`)
    for (const path of staged) sources[path] = path.slice(stagedSources.length + 1)
    const source = staged.length === 1 ? (staged[0] ?? '') : staged
    return { ...resource, parameters: { ...resource.parameters, source } }
  })
  return { catalog: { ...catalog, resources }, sources }
}

/** Where a backend shows the staged `sources` in the image's root. */
export const stagedSources = '/run/img/sources'

/** Puppet takes the first that exists; with `sourceselect => all` every one of them. */
function chooseSources(
  resource: RawResource,
  about: { readonly modules: readonly PuppetModule[]; readonly digests: SourceDigests },
): readonly string[] {
  const named = sourcesOf(resource)
  const paths = named.map((source) => pathOf(source, { resource, modules: about.modules }))
  const existing = paths.map((path) => about.digests.get(path)).filter((digest) => digest !== undefined)
  if (existing.length === 0) {
    throw refused(resource, `has the source ${named.join(', ')}, but there is no ${paths.join(', ')}`, {
      hint: 'add the file to the control repository or correct the source',
    })
  }
  return resource.parameters?.['sourceselect'] === 'all' ? existing : existing.slice(0, 1)
}

/** Only what comes from the control repository; a path of the image itself is left as it is. */
function sourcesOf(resource: RawResource): readonly string[] {
  const source: JsonValue = resource.parameters?.['source'] ?? []
  const named = (Array.isArray(source) ? (source as readonly JsonValue[]) : [source]).filter(
    (value): value is string => typeof value === 'string',
  )
  if (resource.type === 'File') for (const value of named) refuseDownload(resource, value)
  const ours = named.filter((value) => value.startsWith('puppet://'))
  if (ours.length > 0 && ours.length < named.length) {
    throw refused(resource, `mixes puppet:/// and other sources: ${named.join(', ')}`, {
      hint: 'which one is taken would depend on the image; name one kind',
    })
  }
  return ours
}

/** What comes over the network would not be in the key. */
function refuseDownload(resource: RawResource, source: string): void {
  if (!/^https?:/i.test(source) || typeof resource.parameters?.['checksum_value'] === 'string') return
  throw refused(resource, `downloads ${source} without a checksum_value`, {
    hint: 'give checksum => sha256 and checksum_value, or keep the file in the control repository',
  })
}

function pathOf(
  source: string,
  about: { readonly resource: RawResource; readonly modules: readonly PuppetModule[] },
): string {
  const parts = /^puppet:\/\/\/modules\/([a-z][a-z0-9_]*)\/(.+)$/.exec(source)
  if (parts === null) {
    throw refused(about.resource, `has the source ${source}, which names no file of a module`, {
      hint: 'there is no puppet server here: write puppet:///modules/MODULE/PATH',
    })
  }
  const [, name = '', path = ''] = parts
  const decoded = path.replaceAll(/(?:%[0-9A-Fa-f]{2})+/g, (bytes) =>
    Buffer.from(bytes.replaceAll('%', ''), 'hex').toString(),
  )
  const home = about.modules.find((module) => module.name === name)
  if (home === undefined || decoded.split('/').includes('..')) {
    throw refused(about.resource, `has the source ${source}, but there is no module ${name}`, {
      hint: `modules of this environment: ${about.modules.map((module) => module.name).join(', ')}`,
    })
  }
  return `${home.path}/files/${decoded.replace(/\/+$/, '')}`
}

function refused(resource: RawResource, what: string, fields: { readonly hint: string }): ImgError {
  const place =
    resource.file === undefined
      ? {}
      : { path: resource.file, ...(resource.line === undefined ? {} : { line: resource.line }) }
  const where = resource.file === undefined ? '' : `${resource.file}:${resource.line ?? 1}: `
  return new ImgError('PUPPET_COMPILE', `${where}${reference(resource)} ${what}`, { ...fields, ...place })
}
