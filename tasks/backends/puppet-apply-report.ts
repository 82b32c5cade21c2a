// What a puppet run says of itself, as a value or as the error a layer fails with. Pure.

import { ImgError } from '../errors.ts'
import type { ErrorFields } from '../errors.ts'

export interface PuppetReport {
  /** Of the run as puppet itself judged it. */
  readonly status: 'changed' | 'unchanged' | 'failed'
  /** How many the catalog has. */
  readonly resources: number
  readonly failed: readonly FailedResource[]
  /** References of what was changed: `File[/etc/motd]`. */
  readonly changed: readonly string[]
  /** Resources not tried because one they need failed. */
  readonly skipped: readonly string[]
  /** Errors that belong to no resource of the catalog: a dependency cycle, an unknown type. */
  readonly errors: readonly string[]
}

export interface FailedResource {
  readonly resource: string
  readonly messages: readonly string[]
}

/** Where each resource is declared, `site-modules/profile/manifests/base.pp:12` by `File[/etc/motd]`. */
export type Locations = Readonly<Record<string, string>>

/** Anything that is not a whole report is a failed run: the run broke off before its end. */
export function readReport(text: string): PuppetReport {
  const raw = parse(text)
  const resources = raw?.resources ?? []
  const known = raw?.status === 'changed' || raw?.status === 'unchanged'
  return {
    status: known ? raw.status : 'failed',
    resources: raw?.total ?? resources.length,
    failed: resources
      .filter(({ failed }) => failed)
      .map(({ resource, messages }) => ({
        resource,
        messages: messages.length > 0 ? messages : errorsOf(raw, resource),
      })),
    changed: resources.filter(({ changed }) => changed).map(({ resource }) => resource),
    skipped: resources.filter(({ skipped }) => skipped).map(({ resource }) => resource),
    errors: (raw?.errors ?? [])
      .filter(({ source }) => source === 'Puppet')
      .map(({ message }) => message.replace(/^Failed to apply catalog: /, '')),
  }
}

/** Throws PUPPET_FAILED unless the run succeeded. `text` is undefined when there is no report. */
export function checkReport(
  text: string | undefined,
  about: { readonly layer: string; readonly locations: Locations; readonly output?: string },
): PuppetReport {
  const report = readReport(text ?? '')
  if (report.status !== 'failed' && report.failed.length === 0) return report
  const fields = { layer: about.layer, ...(about.output === undefined ? {} : { output: about.output }) }
  const [first] = report.failed
  if (first === undefined) throw brokenOff(report, { text, fields })
  const place = about.locations[first.resource]
  const others = report.failed.length - 1
  const where = place === undefined ? '' : ` (${place})`
  const what = first.messages.join('; ') || 'no message'
  const message = `puppet could not apply ${first.resource}${where}: ${what}`
  throw new ImgError('PUPPET_FAILED', `${message}${others > 0 ? `, and ${others} more failed` : ''}`, {
    hint: `correct the resource or what it needs; \`img log ${about.layer}\` shows the whole run`,
    ...placeFields(place),
    found: report.failed.map(({ resource }) => resource).join(', '),
    ...fields,
  })
}

interface RawReport {
  readonly status: PuppetReport['status']
  /** Of the catalog, also what needed nothing; absent in a report that broke off. */
  readonly total?: number
  readonly resources: readonly {
    readonly resource: string
    readonly failed: boolean
    readonly changed: boolean
    readonly skipped: boolean
    readonly messages: readonly string[]
  }[]
  readonly errors: readonly { readonly source: string; readonly message: string }[]
}

function parse(text: string): RawReport | undefined {
  try {
    return JSON.parse(text) as RawReport
  } catch {
    // A report cut short is a run cut short.
    return undefined
  }
}

/** A log's source is the resource's path in the catalog: `/Stage[main]/Profile::Base/File[/etc/motd]/ensure`. */
function errorsOf(raw: RawReport | undefined, resource: string): readonly string[] {
  return (raw?.errors ?? [])
    .filter(({ source }) => source.includes(`/${resource}`))
    .map(({ message }) => message)
}

function brokenOff(
  report: PuppetReport,
  run: { readonly text: string | undefined; readonly fields: ErrorFields },
): ImgError {
  const hint = `\`img log ${run.fields.layer}\` shows how far it came`
  if (run.text === undefined)
    return new ImgError('PUPPET_FAILED', 'puppet ended without a report', { hint, ...run.fields })
  const why = report.errors.join('; ') || 'its report has status failed and names no resource'
  return new ImgError('PUPPET_FAILED', `puppet could not apply the catalog: ${why}`, { hint, ...run.fields })
}

function placeFields(place: string | undefined): ErrorFields {
  const [, path, line] = place?.match(/^(.*):(\d+)$/) ?? []
  return path === undefined ? {} : { path, line: Number(line) }
}
