// What an imgfile is written with. Pure: values in, frozen values out, everything a compiler cannot see checked here.

import { ImgError } from '../errors.ts'
import { capturePlace, placeFields } from './place.ts'
import type { Imgfile, Layer, LayerName, Recipe, Traits } from './recipe.ts'
import { suggestHint } from './suggest.ts'

export interface LayerOptions<Has extends Traits = Traits> {
  /** The layer whose disk this one starts from. */
  readonly from?: Layer<Has>
  /**
   * Patterns such as `role:*` leave out this layer and what stands on it, as long as they match anything else: for what
   * takes an hour and is wanted seldom. Bazel's tag of this name.
   */
  readonly manual?: boolean
}

export interface ImgfileOptions {
  /** Parents and tool trees of listed layers need not be listed. */
  readonly layers: readonly Layer[]
  /** Layers whose artifact is the files of one deployment environment. */
  readonly targets?: readonly Layer[]
  /** Caches shared with others: `file:///…`, `https://…`, `s3://bucket/prefix`, `oci://registry/repository`. */
  readonly remotes?: readonly string[]
}

/**
 * Declares a layer: recipes applied in order, on the disk of `from` or from nothing.
 *
 * @example layer('role:ceph-node', puppet({ environment: 'puppet', role: 'ceph-node' }), { from: base })
 */
export function layer<Gives extends Traits, Has extends Traits>(
  name: LayerName,
  recipe: Recipe<Gives> | readonly Recipe<Gives>[],
  options: LayerOptions<Has> = {},
): Layer<Gives & Has> {
  const place = capturePlace(layer)
  checkName(name, place)
  const recipes: readonly unknown[] = Array.isArray(recipe) ? recipe : [recipe]
  const invalid = (message: string, fields: { hint?: string; wanted?: string; found?: string }): ImgError =>
    new ImgError('IMGFILE_INVALID', `layer ${name}: ${message}`, {
      layer: name,
      ...fields,
      ...placeFields(place()),
    })
  checkRecipes(recipes, invalid)
  checkOptions(options, recipes, invalid)
  return new DeclaredLayer(
    { name, recipes, from: options.from, manual: options.manual === true },
    place,
  ) as Layer as Layer<Gives & Has>
}

/**
 * The imgfile's default export.
 *
 * @example export default defineImgfile({ layers: [install, base, ...roles] })
 */
export function defineImgfile(options: ImgfileOptions): Imgfile {
  const place = capturePlace(defineImgfile)
  const invalid = (message: string, fields: { hint?: string; wanted?: string; found?: string }): ImgError =>
    new ImgError('IMGFILE_INVALID', `defineImgfile: ${message}`, { ...fields, ...placeFields(place()) })
  if (!isObject(options)) {
    throw invalid(`expected an object, got ${describe(options)}`, {
      hint: 'write defineImgfile({ layers: [ … ] })',
    })
  }
  checkKeys(options, ['layers', 'targets', 'remotes'], invalid)
  const lists: Layer[][] = []
  for (const key of ['layers', 'targets'] as const) {
    const list: unknown = options[key]
    if (key === 'targets' && list === undefined) continue
    if (!Array.isArray(list)) {
      throw invalid(`${key} must be an array of layers, got ${describe(list)}`, {
        hint: `write ${key}: [ … ]`,
      })
    }
    for (const [index, item] of list.entries()) {
      if (!isLayer(item)) {
        throw invalid(`${key}[${index}] is ${describe(item)}, not a layer`, {
          hint: `make it with layer('kind:name', recipe)`,
        })
      }
    }
    lists.push(list)
  }
  const remotes: unknown = options.remotes ?? []
  if (!Array.isArray(remotes) || !remotes.every((url) => typeof url === 'string')) {
    throw invalid(`remotes must be an array of URLs, got ${describe(remotes)}`, {
      hint: `write remotes: ['https://cache.example.org/img']`,
    })
  }
  return Object.freeze({
    layers: Object.freeze(lists.flat()),
    ...(remotes.length === 0 ? {} : { remotes: Object.freeze(remotes) }),
  })
}

/** Whether a value can stand where a layer is expected; made by `layer()` or shaped like it. */
export function isLayer(value: unknown): value is Layer {
  return isObject(value) && typeof value['name'] === 'string' && Array.isArray(value['recipes'])
}

/** Whether its artifact is the files of a deployment environment. */
export const isTarget = ({ recipes }: Layer): boolean => recipes.at(-1)?.mode === 'export'

type Invalid = (message: string, fields: { hint?: string; wanted?: string; found?: string }) => ImgError

/** The place is worked out when a message needs it: 100,000 stacks as text would take longer than the whole plan. */
class DeclaredLayer implements Layer {
  readonly name: LayerName
  readonly recipes: readonly Recipe[]
  readonly from: Layer | undefined
  readonly manual: boolean
  readonly traits: Traits
  readonly #place: () => string | undefined

  constructor(
    given: { name: LayerName; recipes: readonly Recipe[]; from: Layer | undefined; manual: boolean },
    place: () => string | undefined,
  ) {
    this.name = given.name
    this.recipes = Object.freeze([...given.recipes])
    this.from = given.from
    this.manual = given.manual
    this.traits = Object.freeze({
      ...given.from?.traits,
      ...Object.assign({}, ...given.recipes.map(({ gives }) => gives)),
    })
    this.#place = place
    Object.freeze(this)
  }

  get declaredAt(): string | undefined {
    return this.#place()
  }
}

function checkName(name: unknown, place: () => string | undefined): void {
  if (typeof name === 'string' && /^[a-z0-9][a-z0-9._-]*:[a-z0-9][a-z0-9._-]*$/.test(name)) return
  throw new ImgError(
    'IMGFILE_INVALID',
    `${typeof name === 'string' ? JSON.stringify(name) : describe(name)} is not a layer name`,
    {
      hint: nameHint(name),
      wanted: 'kind:name, both of a-z 0-9 . _ - and starting with a letter or digit',
      found: typeof name === 'string' ? name : describe(name),
      ...placeFields(place()),
    },
  )
}

function nameHint(name: unknown): string {
  if (typeof name === 'string') {
    const [kind = '', ...rest] = name.toLowerCase().split(':')
    const clean = [kind, rest.join('-')].map((part) =>
      part.replaceAll(/[^a-z0-9._-]+/g, '-').replaceAll(/^[^a-z0-9]+|-+$/g, ''),
    )
    if (clean.every((part) => part !== '')) return `for example ${clean.join(':')}`
  }
  return 'write kind:name, for example role:ceph-node'
}

function checkRecipes(recipes: readonly unknown[], invalid: Invalid): asserts recipes is readonly Recipe[] {
  if (recipes.length === 0) {
    throw invalid('has no recipe', {
      hint: 'give it one: layer(name, recipe) or layer(name, [first, second])',
    })
  }
  for (const [index, recipe] of recipes.entries()) {
    if (isRecipe(recipe)) continue
    const which = recipes.length === 1 ? 'the recipe' : `recipe ${index + 1}`
    throw invalid(`${which} is ${describe(recipe)}, not a recipe`, {
      hint:
        typeof recipe === 'function' && recipe.name !== ''
          ? `call it: ${recipe.name}({ … })`
          : 'use one from imgfile/recipes',
    })
  }
  for (const recipe of recipes.slice(1) as Recipe[]) {
    if (recipe.parent !== 'required') {
      throw invalid(`${recipe.name} begins a disk, so only the first recipe can be one`, {
        hint: `put ${recipe.name} first, or into a layer of its own`,
      })
    }
  }
}

function isRecipe(value: unknown): value is Recipe {
  return (
    isObject(value) &&
    typeof value['name'] === 'string' &&
    modes.has(value['mode']) &&
    isObject(value['inputs']) &&
    parents.has(value['parent']) &&
    typeof value['steps'] === 'function' &&
    (value['tools'] === undefined || isLayer(value['tools']))
  )
}

const modes: ReadonlySet<unknown> = new Set(['chroot', 'boot', 'export'])
const parents: ReadonlySet<unknown> = new Set(['none', 'required', 'template'])

function checkOptions(options: unknown, recipes: readonly Recipe[], invalid: Invalid): void {
  if (!isObject(options)) {
    throw invalid(`the options are ${describe(options)}, not an object`, { hint: 'write { from: parent }' })
  }
  if (isLayer(options)) {
    throw invalid(`the third argument is the layer ${options.name}, not options`, {
      hint: 'write { from: parent }',
    })
  }
  checkKeys(options, ['from', 'manual'], invalid)
  const manual = options['manual']
  if (manual !== undefined && typeof manual !== 'boolean') {
    throw invalid(`manual is ${describe(manual)}, not true or false`, {
      hint: 'write manual: true, or remove it',
    })
  }
  const from = options['from']
  const first = recipes[0]?.name
  if ('from' in options && !isLayer(from)) {
    throw invalid(`from is ${describe(from)}, not a layer`, {
      hint:
        typeof from === 'string'
          ? 'pass the layer itself, not its name'
          : 'declare the parent before this layer',
    })
  }
  if (from !== undefined && recipes[0]?.parent === 'none') {
    throw invalid(`${first} begins a disk, so the layer cannot have a parent`, {
      hint: `remove from: ${(from as Layer).name}`,
    })
  }
  const wantsTemplate = recipes[0]?.parent === 'template'
  if (wantsTemplate && !(isLayer(from) && isTarget(from))) {
    throw invalid(`${first} starts from a template, and there is none`, {
      hint: 'add { from: template(parent) } as third argument, or name a source',
    })
  }
  if (isLayer(from) && isTarget(from) && !wantsTemplate) {
    throw invalid(`from is the target ${from.name}, which has files and no disk`, {
      hint: `stand on ${from.from?.name ?? 'a layer'} instead, or move what ${first} does below the target`,
    })
  }
  if (from === undefined && recipes[0]?.parent === 'required') {
    throw invalid(`${first} changes the disk of a parent, and there is none`, {
      hint: 'add { from: parent } as third argument',
    })
  }
}

function checkKeys(options: object, known: readonly string[], invalid: Invalid): void {
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) {
      throw invalid(`unknown option ${key}`, { hint: suggestHint(key, known, 'options') })
    }
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A value in a message: short, and telling apart what people mix up. */
function describe(value: unknown): string {
  if (value === undefined || value === null) return String(value)
  if (typeof value === 'function') return value.name === '' ? 'a function' : `the function ${value.name}`
  if (typeof value === 'string') return `the string ${JSON.stringify(value)}`
  if (Array.isArray(value)) return 'an array'
  if (isLayer(value)) return `the layer ${value.name}`
  if (value instanceof Promise) return 'a promise'
  if (typeof value === 'object') return `an object with ${Object.keys(value).join(', ') || 'no properties'}`
  return typeof value === 'number' || typeof value === 'boolean'
    ? `the ${typeof value} ${value}`
    : `a ${typeof value}`
}
