// The layer meant by a command that works on exactly one.

import { ImgError } from '../errors.ts'
import type { Graph } from '../plan/graph.ts'
import type { LayerName } from '../plan/recipe.ts'
import { select } from '../plan/select.ts'
import type { Call } from './command.ts'

export function oneLayer(graph: Graph, call: Call): LayerName {
  const [selector = ''] = call.args
  const names = select(graph, [selector])
  const [name] = names
  if (name !== undefined && names.length === 1) return name
  throw new ImgError('USAGE', `${selector} means ${names.length} layers, and this command takes one`, {
    hint: 'name one of them',
    found: selector,
    validOptions: names,
  })
}
