// The inputs and parents of a whole layer under names of their own. Each recipe names its inputs as it likes; in the
// layer, in the key and in the backend's hands they are `<place of the recipe>.<name>`, so that two cannot clash and
// a recipe added at the end renames nothing.

import type { GraphLayer } from './graph.ts'
import type { CatalogFacts, Facts, InputDeclaration, LayerName } from './recipe.ts'

export interface LayerInput {
  /** `0.packages`: what steps, key, record and backend call it. */
  readonly name: string
  /** Place of the recipe in the layer, and the name the recipe knows. */
  readonly recipe: number
  readonly ownName: string
  readonly declaration: InputDeclaration
  /** The tool tree its recipe runs with: what a catalog is compiled in. */
  readonly tools: LayerName | undefined
}

/** What the plan needs of a resolved input. */
export interface InputFacts {
  readonly kind: string
  readonly digest: string
  readonly files: readonly { readonly path: string; readonly digest: string; readonly mode?: string }[]
  /** False for what enters the key only through the steps made of it. */
  readonly inKey: boolean
  readonly value?: InputValue
}

type InputValue = { readonly path: string; readonly content: string } | CatalogFacts | string

/** Every input of a layer, recipe by recipe in the order they were declared. */
export function layerInputs(entry: GraphLayer): readonly LayerInput[] {
  return entry.layer.recipes.flatMap((recipe, index) =>
    Object.entries(recipe.inputs).map(([ownName, declaration]) => ({
      name: inputName(index, ownName),
      recipe: index,
      ownName,
      declaration,
      tools: entry.recipeTools[index],
    })),
  )
}

export const inputName = (recipe: number, ownName: string): string => `${recipe}.${ownName}`

/**
 * The layers whose content decides this one's, by slot: `from`, `chain.1`… from the oldest, `tools`, and `tools.2`…
 * where recipes use different trees. Slots and not names are in the key, so that renaming a parent rebuilds nothing.
 */
export function parentSlots(entry: GraphLayer): ReadonlyMap<string, LayerName> {
  const trees = [...new Set(entry.recipeTools)].filter((tree) => tree !== undefined)
  return new Map([
    ...(entry.from === undefined ? [] : [['from', entry.from] as const]),
    ...entry.chain.map((name, index) => [`chain.${index + 1}`, name] as const),
    ...trees.map((tree, index) => [index === 0 ? 'tools' : `tools.${index + 1}`, tree] as const),
  ])
}

/** What each recipe of the layer may see: its own inputs under its own names. */
export function makeFacts(entry: GraphLayer, inputs: Readonly<Record<string, InputFacts>>): readonly Facts[] {
  return entry.layer.recipes.map((recipe, index) => {
    const value = (name: string, kind: InputDeclaration['kind']): InputValue | undefined => {
      const declared = Object.hasOwn(recipe.inputs, name) ? recipe.inputs[name]?.kind : undefined
      if (declared !== kind) {
        const what = declared === undefined ? 'which is not declared' : `which is declared as ${declared}`
        throw new Error(`recipe ${recipe.name} asks for the ${kind} input ${name}, ${what}`)
      }
      const found = inputs[inputName(index, name)]?.value
      if (found === undefined) throw new Error(`input ${name} of recipe ${recipe.name} was not resolved`)
      return found
    }
    return {
      text: (name) => value(name, 'text') as { path: string; content: string },
      catalog: (name) => value(name, 'catalog') as CatalogFacts,
      env: (name) => value(name, 'env') as string,
    }
  })
}
