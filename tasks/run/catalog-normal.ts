// Pure. What of a compiled catalog decides the image, without the accidents of one compilation; resources keep their
// order, since puppet applies them in it.

import { ImgError } from '../errors.ts'
import type { JsonValue } from '../plan/step.ts'

export interface RawCatalog {
  readonly name: string
  readonly environment: string
  readonly resources: readonly RawResource[]
  readonly [field: string]: JsonValue | readonly RawResource[]
}

export interface RawResource {
  readonly type: string
  readonly title: string
  readonly file?: string
  readonly line?: number
  readonly parameters?: Readonly<Record<string, JsonValue>>
  readonly sensitive_parameters?: readonly string[]
}

export interface NormalCatalog {
  readonly catalog: JsonValue
  /** `site-modules/profile/manifests/base.pp:12` by reference, for messages about a run. */
  readonly locations: Readonly<Record<string, string>>
}

/** Without version, code id, uuids, file and line. */
export function normaliseCatalog(raw: RawCatalog): NormalCatalog {
  const { version: _version, code_id: _codeId, catalog_uuid: _uuid, ...kept } = raw
  const locations: Record<string, string> = {}
  const resources = raw.resources.map((resource) => {
    const { file: _file, line: _line, ...rest } = resource
    const found = locate(resource)
    if (found !== undefined) locations[reference(resource)] = found
    refuseSecrets(resource, found)
    return rest
  })
  return { catalog: { ...kept, resources }, locations }
}

export const reference = (resource: RawResource): string => `${resource.type}[${resource.title}]`

function locate(resource: RawResource): string | undefined {
  if (resource.file === undefined) return undefined
  return resource.line === undefined ? resource.file : `${resource.file}:${resource.line}`
}

/** A Sensitive stands in clear in the catalog, and so in the key record, the store and every remote. */
function refuseSecrets(resource: RawResource, place: string | undefined): void {
  for (const [parameter, value] of Object.entries(resource.parameters ?? {})) {
    const marked = resource.sensitive_parameters?.includes(parameter) === true && !isRich(value, 'Deferred')
    if (!marked && !holdsSensitive(value)) continue
    const where = place === undefined ? '' : `${place}: `
    throw new ImgError(
      'PUPPET_SENSITIVE',
      `${where}${reference(resource)} has a Sensitive value in ${parameter}, which would be stored in clear`,
      {
        hint: 'leave the secret to the deployment, or make it Deferred so that only the machine that needs it asks for it',
        found: `${reference(resource)} ${parameter}`,
        ...placeFields(place),
      },
    )
  }
}

const isRich = (value: JsonValue, type: string): boolean =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  (value as Readonly<Record<string, JsonValue>>)['__ptype'] === type

/** Also within the arguments of a Deferred. */
function holdsSensitive(value: JsonValue): boolean {
  if (typeof value !== 'object' || value === null) return false
  return isRich(value, 'Sensitive') || (Object.values(value) as readonly JsonValue[]).some(holdsSensitive)
}

function placeFields(place: string | undefined): { readonly path?: string; readonly line?: number } {
  const [, path, line] = place?.match(/^(.*):(\d+)$/) ?? []
  return path === undefined ? {} : { path, line: Number(line) }
}
