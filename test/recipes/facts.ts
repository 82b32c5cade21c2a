// The facts of a recipe whose one text input is an answer file.

import type { Facts } from '../../tasks/plan/recipe.ts'

export function factsOf(content: string, path: string = 'answers.cfg'): Facts {
  return {
    text: () => ({ path, content }),
    catalog: () => {
      throw new Error('no catalog was declared')
    },
    env: () => {
      throw new Error('no environment value was declared')
    },
  }
}
