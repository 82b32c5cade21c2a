// Which step of a layer names a path or a package. Pure.

import type { JsonValue, Step } from '../plan/step.ts'

export interface Culprit {
  readonly step: Step
  /** Of a puppet step: `File[/etc/motd]`. */
  readonly resource?: string
}

/** The last one that does, since it had the last word; a path begins with a slash, anything else is a package. */
export function findCulprit(steps: readonly Step[], subject: string): Culprit | undefined {
  for (const step of steps.toReversed()) {
    if (step.do === 'puppet') {
      const resource = findResource(step.catalog, subject)
      if (resource !== undefined) return { step, resource }
    } else if (names(step, subject)) return { step }
  }
  return undefined
}

function names(step: Step, subject: string): boolean {
  if (step.do === 'write' || step.do === 'mkdir' || step.do === 'link') return step.path === subject
  if (step.do === 'copy') return subject === step.to || subject.startsWith(`${step.to}/`)
  if (step.do === 'remove') return step.paths.includes(subject)
  if (step.do === 'apt') return step.install.includes(subject) || step.remove.includes(subject)
  return step.do === 'bootstrap' && step.packages.includes(subject)
}

interface CatalogResource {
  readonly type?: unknown
  readonly title?: unknown
  readonly parameters?: Readonly<Record<string, unknown>>
}

function findResource(catalog: JsonValue, subject: string): string | undefined {
  const resources = (catalog as { readonly resources?: readonly CatalogResource[] } | null)?.resources ?? []
  for (const { type, title, parameters } of resources) {
    const isFile = type === 'File' && (parameters?.['path'] ?? title) === subject
    const isPackage = type === 'Package' && (parameters?.['name'] ?? title) === subject
    if (isFile || isPackage) return `${type}[${String(title)}]`
  }
  return undefined
}
