// Pure. The catalog Vagrant follows from version to version, and one more version of the box.

import { ImgError } from '../../tasks/errors.ts'
import { compareVersions } from '../../tasks/plan/compare-versions.ts'

export interface Catalog {
  readonly name: string
  readonly versions: readonly CatalogVersion[]
}

export interface CatalogVersion {
  readonly version: string
  readonly providers: readonly CatalogProvider[]
}

export interface CatalogProvider {
  readonly name: string
  /** sha256 of `<name>.box`. */
  readonly checksum?: string
}

/**
 * `published` with the versions of `made` it has not, fields we do not know as they are. Throws REPOSITORY_INVALID when
 * `own` is there with other bytes: who has it is never told of a change.
 */
export function mergeCatalog(
  { published, made, own }: { readonly published: Catalog; readonly made: Catalog; readonly own: string },
  path: string,
): Catalog {
  if (published.name !== made.name) {
    throw new ImgError(
      'REPOSITORY_INVALID',
      `${path} is the catalog of ${published.name}, not of ${made.name}`,
      { path, hint: 'publish each box to a folder of its own', found: published.name, wanted: made.name },
    )
  }
  const there = published.versions.find(({ version }) => version === own)
  const rest = published.versions.filter((version) => version !== there)
  const others = made.versions.filter(
    ({ version }) => version !== own && !rest.some((one) => one.version === version),
  )
  const ours = made.versions.find(({ version }) => version === own)!
  const version = there === undefined ? ours : mergeVersion(there, ours, path)
  const versions = [version, ...rest, ...others].toSorted((one, other) =>
    compareVersions(other.version, one.version),
  )
  return { ...published, versions }
}

function mergeVersion(there: CatalogVersion, ours: CatalogVersion, path: string): CatalogVersion {
  const isOurs = ({ name }: CatalogProvider): boolean => ours.providers.some((own) => own.name === name)
  for (const own of ours.providers) {
    const other = there.providers.find(({ name, checksum }) => name === own.name && checksum !== own.checksum)
    if (other === undefined) continue
    throw new ImgError(
      'REPOSITORY_INVALID',
      `version ${ours.version} is published with another ${own.name}.box in ${path}`,
      {
        path,
        hint: 'give vagrant() a higher version: who has this one would never be told of other bytes',
        ...(other.checksum === undefined ? {} : { found: other.checksum }),
        ...(own.checksum === undefined ? {} : { wanted: own.checksum }),
      },
    )
  }
  return {
    ...there,
    ...ours,
    providers: [...there.providers.filter((one) => !isOurs(one)), ...ours.providers],
  }
}

/** Throws REPOSITORY_INVALID. */
export function parseCatalog(text: string, path: string): Catalog {
  try {
    const { name, versions, ...more } = JSON.parse(text) as Partial<Catalog>
    if (typeof name === 'string' && (versions ?? []).every(isVersion))
      return { ...more, name, versions: versions ?? [] }
  } catch {
    // No more a catalog than any other text.
  }
  throw new ImgError('REPOSITORY_INVALID', `${path} is no catalog of boxes`, {
    path,
    hint: 'move it away to start a new one, or publish to another folder',
  })
}

const isVersion = ({ version, providers }: Partial<CatalogVersion>): boolean =>
  typeof version === 'string' &&
  Array.isArray(providers) &&
  providers.every(({ name }: Partial<CatalogProvider>) => typeof name === 'string')
