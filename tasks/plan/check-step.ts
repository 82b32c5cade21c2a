// What the type of a step cannot say: references to declared inputs, paths, file modes, places where a step may stand.

import { placeholderForms, wrongPlaceholder } from './placeholders.ts'
import { suggestHint } from './suggest.ts'
import type { InputDeclaration, Recipe } from './recipe.ts'
import type { Step, StepOf } from './step.ts'

export interface WrongStep {
  /** The step's `do`, when it has one we know. */
  readonly step: Step['do'] | undefined
  readonly message: string
  readonly hint: string
  readonly found?: string
}

export interface StepPlace {
  readonly recipe: Recipe
  /** First of the whole layer. */
  readonly first: boolean
  /** Last of its recipe. */
  readonly last: boolean
}

/** The first thing wrong with a step, if any. */
export function checkStep(step: Step, place: StepPlace): WrongStep | undefined {
  const written: unknown = step
  if (typeof written !== 'object' || written === null || !('do' in written)) {
    return { step: undefined, message: 'is not a step', hint: 'a step is an object with `do`' }
  }
  const name = String(written.do)
  if (!Object.hasOwn(checks, name)) {
    const hint = suggestHint(name, Object.keys(checks), 'steps')
    return { step: undefined, message: `there is no step ${JSON.stringify(name)}`, hint, found: name }
  }
  const check = checks[step.do] as Check<Step>
  const wrong = checkStepMode(step, place.recipe) ?? checkReferences(step, place.recipe) ?? check(step, place)
  return wrong === undefined ? undefined : { step: step.do, ...wrong }
}

type Wrong = Omit<WrongStep, 'step'>
type Check<S> = (step: S, place: StepPlace) => Wrong | undefined

const fine = (): undefined => undefined

const needsMachine = ({ mode }: Recipe): Wrong => ({
  message: `needs a machine, which mode ${mode} has not`,
  hint: "give the recipe mode: 'boot'",
})

const beginsRoot: Check<Step> = (_, place) =>
  place.first && place.recipe.parent === 'none'
    ? undefined
    : {
        message: 'fills an empty root, so it can only be the first step of a layer without parent',
        hint: 'move it to the start of a recipe with parent: none',
      }

const needsChroot = ({ mode }: Recipe): Wrong | undefined =>
  mode === 'chroot'
    ? undefined
    : {
        message: `works on a disk nobody runs, which mode ${mode} is not`,
        hint: "give the recipe mode: 'chroot'",
      }

const closesRoot: Check<Step> = (_, place) =>
  place.last && place.recipe.parent === 'none'
    ? undefined
    : {
        message: 'closes a new root, so it can only be the last step of a recipe without parent',
        hint: 'move it to the end of a recipe with parent: none',
      }

/** Every step there is. */
export const stepNames = (): ReadonlySet<Step['do']> => new Set(Object.keys(checks) as Step['do'][])

const checks: { readonly [Name in Step['do']]: Check<StepOf<Name>> } = {
  bootstrap: beginsRoot,
  disk: closesRoot,
  archive: closesRoot,
  seal: () => ({ message: 'is added by the engine', hint: 'leave it out' }),
  run: (step) =>
    Array.isArray(step.argv) && step.argv.length > 0 && step.argv[0] !== ''
      ? undefined
      : { message: 'argv names no program', hint: 'argv is the program and its arguments' },
  apt: fine,
  write: (step) => checkPath('path', step.path) ?? checkMode(step.mode),
  copy: (step) => (step.to === '/' ? undefined : checkPath('to', step.to)),
  mkdir: (step) => checkPath('path', step.path) ?? checkMode(step.mode),
  link: (step) =>
    step.target === ''
      ? { message: 'target is empty', hint: 'say what the link points to' }
      : checkPath('path', step.path),
  remove: (step) => step.paths.map((path) => checkPath('paths', path)).find(Boolean),
  sysprep: (step, place) =>
    step.operations.length === 0
      ? { message: 'names no operation', hint: 'leave it out' }
      : needsChroot(place.recipe),
  trim: (_, place) => needsChroot(place.recipe),
  'virt-builder': (_, place) =>
    place.first
      ? needsChroot(place.recipe)
      : { message: 'begins a disk', hint: 'make it the first step of a layer' },
  install: (step, place) =>
    beginsRoot(step, place) ?? (place.recipe.mode === 'boot' ? undefined : needsMachine(place.recipe)),
  firstboot: (_, { recipe }) => (recipe.mode === 'boot' ? undefined : needsMachine(recipe)),
  puppet: fine,
  script: fine,
  convert: (step) => checkFile('to', step.to),
  extract: (step) => checkPath('from', step.from) ?? checkFile('to', step.to),
  emit: (step) => checkFile('to', step.to) ?? checkPlaceholders(step.text),
  checksums: (step) => checkFile('to', step.to),
  template: (step) => checkFile('to', step.to) ?? checkFile('facts', step.facts),
  oci: (step) => checkFile('to', step.to),
  squashfs: (step) => checkFile('to', step.to),
  initramfs: (step) => checkFile('to', step.to) ?? checkFile('folder', step.folder),
  uki: (step) => checkFile('to', step.to),
  pack: (step) =>
    checkFile('to', step.to) ?? step.files.map((file) => checkFile('files', file)).find(Boolean),
}

/** Modes a step stands in, where it is not any but export. */
const exportSteps: ReadonlySet<Step['do']> = new Set([
  'convert',
  'extract',
  'emit',
  'checksums',
  'pack',
  'template',
  'oci',
  'squashfs',
  'initramfs',
  'uki',
])

/** Files are made of a finished disk, and a finished disk is not changed any more. */
function checkStepMode(step: Step, { mode }: Recipe): Wrong | undefined {
  if (exportSteps.has(step.do) === (mode === 'export')) return undefined
  return mode === 'export'
    ? {
        message: 'changes an image, which mode export does not',
        hint: 'put it into a layer below the target',
      }
    : { message: `makes a file, which mode ${mode} does not`, hint: `give the recipe mode: 'export'` }
}

function checkReferences(step: Step, recipe: Recipe): Wrong | undefined {
  for (const name of 'secrets' in step ? (step.secrets ?? []) : []) {
    const wrongSecret = checkReference(name, { recipe, kind: 'secret', field: 'secrets' })
    if (wrongSecret !== undefined) return wrongSecret
  }
  const wrong =
    step.do === 'apt' || step.do === 'bootstrap' || ('apt' in step && step.apt !== undefined)
      ? checkReference(step.apt, { recipe, kind: 'apt', field: 'apt' })
      : undefined
  if (wrong !== undefined) return wrong
  if (step.do === 'virt-builder' && step.input !== undefined)
    return checkReference(step.input, { recipe, kind: 'template', field: 'input' })
  if (step.do === 'copy' || step.do === 'puppet' || step.do === 'script' || step.do === 'install') {
    return checkReference(step.input, { recipe, kind: inputKinds[step.do], field: 'input' })
  }
  return undefined
}

const inputKinds = { copy: 'files', puppet: 'catalog', script: 'script', install: 'medium' } as const

function checkReference(
  name: unknown,
  wanted: { recipe: Recipe; kind: InputDeclaration['kind']; field: string },
): Wrong | undefined {
  const { inputs } = wanted.recipe
  if (typeof name !== 'string') {
    return { message: `${wanted.field} is not text`, hint: 'name an input the recipe declares' }
  }
  const declared = Object.hasOwn(inputs, name) ? inputs[name] : undefined
  if (declared?.kind === wanted.kind) return undefined
  const known = Object.keys(inputs).filter((key) => inputs[key]?.kind === wanted.kind)
  return {
    message:
      declared === undefined
        ? `${wanted.field} names the input ${JSON.stringify(name)}, which the recipe does not declare`
        : `${wanted.field} names the input ${name}, which is of kind ${declared.kind}, not ${wanted.kind}`,
    hint: suggestHint(name, known, `${wanted.kind} inputs`),
    found: name,
  }
}

/** Paths are compared as text, in keys and in messages, so each has one spelling. */
function checkPath(field: string, path: unknown): Wrong | undefined {
  if (typeof path !== 'string') return { message: `${field} is not text`, hint: 'write an absolute path' }
  const wrong = (message: string, hint: string): Wrong => ({
    message: `${field} is ${JSON.stringify(path)}, ${message}`,
    hint,
    found: path,
  })
  if (!path.startsWith('/'))
    return wrong('which is not absolute', `for example ${JSON.stringify(`/${path}`)}`)
  if (path.includes('\0')) return wrong('which has a NUL character', 'remove it')
  const parts = path.slice(1).split('/')
  if (parts.includes('..')) return wrong('which has ".." in it', 'write the path it means')
  if (parts.every((part) => part !== '' && part !== '.')) return undefined
  const normal = parts.filter((part) => part !== '' && part !== '.').join('/')
  return normal === ''
    ? wrong('which is the root itself', 'name a path below it')
    : wrong('which is not normalised', `write "/${normal}"`)
}

/** Relative, so that an exported target stays in its folder. */
function checkFile(field: string, name: unknown): Wrong | undefined {
  const parts = typeof name === 'string' ? name.split('/') : []
  if (parts.length > 0 && parts.every((part) => /^[A-Za-z0-9_][A-Za-z0-9._+-]*$/.test(part))) return undefined
  const found = JSON.stringify(name) ?? 'undefined'
  return { message: `${field} is ${found}, not the name of a file`, hint: 'for example "disk.qcow2"', found }
}

function checkPlaceholders(text: string): Wrong | undefined {
  const wrong = wrongPlaceholder(text)
  if (wrong === undefined) return undefined
  return {
    message: `the text has ${wrong}, which means nothing`,
    hint: `there is ${placeholderForms().join(', ')}`,
    found: wrong,
  }
}

function checkMode(mode: unknown): Wrong | undefined {
  if (typeof mode === 'string' && /^[0-7]{4}$/.test(mode)) return undefined
  const found = JSON.stringify(mode) ?? 'undefined'
  return { message: `mode is ${found}, not four octal digits as text`, hint: 'for example "0644"', found }
}
