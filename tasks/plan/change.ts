// One difference between a build that happened and one that is asked for, as data and as a sentence.

export type Change =
  | { readonly kind: 'never-built' }
  /** What it is compared with is another project's, or another clone's. */
  | { readonly kind: 'elsewhere' }
  /** The record is of another key format. */
  | { readonly kind: 'format' }
  | { readonly kind: 'arch'; readonly was: string; readonly now: string }
  /** `slot` is `from`, `tools`…; equal names mean the same layer with other content. */
  | {
      readonly kind: 'parent'
      readonly slot: string
      readonly was: string | undefined
      readonly now: string | undefined
    }
  | {
      readonly kind: 'file'
      readonly input: string
      readonly path: string
      readonly change: 'changed' | 'added' | 'removed' | 'mode'
      /** One of several that differ, of which only what the steps are made of counts. */
      readonly isPerhaps?: true
    }
  | {
      readonly kind: 'input'
      readonly input: string
      readonly of: string
      readonly change: 'changed' | 'added' | 'removed'
    }
  | { readonly kind: 'step'; readonly step: string; readonly change: 'added' | 'removed' }
  /** Of all steps, or of a list in one step. */
  | { readonly kind: 'order'; readonly step: string | undefined; readonly of: string }
  | {
      readonly kind: 'package'
      readonly step: string
      readonly list: 'install' | 'remove' | 'packages'
      readonly package: string
      readonly change: 'added' | 'removed'
    }
  | { readonly kind: 'debconf'; readonly line: string; readonly change: 'added' | 'removed' }
  /** `was` and `now` are absent where the values are too long to read. */
  | {
      readonly kind: 'field'
      readonly step: string
      readonly field: string
      readonly was?: string
      readonly now?: string
    }
  | {
      readonly kind: 'resource'
      readonly resource: string
      readonly change: 'added' | 'removed' | 'changed'
      readonly parameters: readonly string[]
    }
  /** Something of a catalog that is not one resource: `order`, `edges`, `sources`, `plugins`… */
  | { readonly kind: 'catalog'; readonly part: string }

/** One clause without full stop: "preseed/trixie.cfg changed". */
export function renderChange(change: Change): string {
  switch (change.kind) {
    case 'never-built':
      return 'never built'
    case 'elsewhere':
      return 'first build from this folder'
    case 'format':
      return 'last built by another version of img, whose keys differ'
    case 'arch':
      return `architecture ${change.was} -> ${change.now}`
    case 'parent':
      return renderParent(change)
    case 'file':
      return renderFile(change)
    case 'input':
      return `${inputWords[change.of] ?? change.of} ${change.input.replace(/^\d+\./, '')} ${change.change}`
    case 'step':
      return `step "${inOneLine(change.step)}" ${change.change}`
    case 'order':
      return change.step === undefined
        ? `${change.of} are in another order`
        : `${change.of} is in another order (${change.step} step)`
    case 'package':
      return renderPackage(change)
    case 'debconf':
      return `debconf answer "${change.line}" ${change.change}`
    case 'field':
      return renderField(change)
    case 'resource':
      return change.change === 'changed'
        ? `catalog: ${change.resource} ${change.parameters.join(', ')} changed`
        : `catalog: ${change.resource} ${change.change}`
    case 'catalog':
      return `catalog: ${catalogWords[change.part] ?? `${change.part} changed`}`
  }
  return change satisfies never
}

function renderFile({ path, change, isPerhaps }: ChangeOf<'file'>): string {
  const what = change === 'mode' ? `mode of ${path} changed` : `${path} ${change}`
  return isPerhaps === true ? `${what}, perhaps why` : what
}

/** A script as its beginning: reasons stand in tables. */
function inOneLine(step: string): string {
  const line = step.replaceAll(/\s+/g, ' ').trim()
  return line.length <= 60 ? line : `${line.slice(0, 59)}…`
}

/** Several changes as one reason: the first few, then how many more. */
export function renderChanges(changes: readonly Change[]): string {
  const shown = changes.slice(0, 3).map(renderChange)
  const more = changes.length - shown.length
  return more > 0 ? `${shown.join('; ')}; and ${more} more` : shown.join('; ')
}

type ChangeOf<Kind extends Change['kind']> = Extract<Change, { kind: Kind }>

const inputWords: Readonly<Record<string, string>> = {
  apt: 'state of the apt repositories of input',
  script: 'script',
  secret: 'secret',
  env: 'environment value',
  files: 'files of input',
  text: 'text of input',
  catalog: 'catalog of input',
}

const catalogWords: Readonly<Record<string, string>> = {
  order: 'resources are in another order',
  edges: 'relationships changed',
  plugins: "Ruby code under a module's lib/ changed",
}

const slotWords: Readonly<Record<string, string>> = {
  from: 'parent',
  chain: 'ancestor',
  tools: 'tool tree',
}

function renderParent(change: ChangeOf<'parent'>): string {
  const word = slotWords[change.slot.replace(/\.\d+$/, '')] ?? change.slot
  if (change.was === change.now)
    return change.now === undefined ? `${word} has other content` : `${word} ${change.now} has other content`
  if (change.was === undefined) return `${word} ${change.now} added`
  if (change.now === undefined) return `${word} ${change.was} removed`
  return `${word} is ${change.now}, was ${change.was}`
}

function renderPackage(change: ChangeOf<'package'>): string {
  const { package: name, step } = change
  if (change.list === 'remove') {
    return change.change === 'added'
      ? `package ${name} is now removed by ${step} step`
      : `package ${name} is no longer removed by ${step} step`
  }
  return change.change === 'added'
    ? `package ${name} added to ${step} step`
    : `package ${name} removed from ${step} step`
}

function renderField(change: ChangeOf<'field'>): string {
  if (change.was === undefined || change.now === undefined) {
    return `${change.field} changed (${change.step} step)`
  }
  return `${change.field} ${change.was} -> ${change.now} (${change.step} step)`
}
