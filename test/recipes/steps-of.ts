// The steps and inputs of a recipe that needs no facts.

import type { Recipe } from '../../tasks/plan/recipe.ts'
import { factsOf } from './facts.ts'

export function stepsOf(recipe: Recipe): Pick<Recipe, 'name' | 'mode' | 'parent' | 'inputs'> & {
  readonly steps: ReturnType<Recipe['steps']>
} {
  const { name, mode, parent, inputs } = recipe
  return { name, mode, parent, inputs, steps: recipe.steps(factsOf('')) }
}
