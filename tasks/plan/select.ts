// From what was typed to layers. Pure.

import { ImgError } from '../errors.ts'
import type { Graph } from './graph.ts'
import type { LayerName } from './recipe.ts'

/**
 * Layers meant by exact names or globs (`role:*`, `*:ceph-node`), in the graph's order, each once. A glob means manual
 * layers only where it matches no other.
 */
export function select(graph: Graph, selectors: readonly string[]): LayerName[] {
  const names = [...graph.layers.keys()]
  const chosen = new Set<LayerName>()
  for (const selector of selectors) {
    const matches = isGlob(selector) ? matching(graph, selector) : exact(graph, selector)
    if (matches.length === 0) throw unknown(selector, names)
    for (const name of matches) chosen.add(name)
  }
  return names.filter((name) => chosen.has(name))
}

function exact(graph: Graph, selector: string): LayerName[] {
  const found = graph.layers.get(selector as LayerName)
  return found === undefined ? [] : [found.name]
}

function matching(graph: Graph, glob: string): readonly LayerName[] {
  const isMatch = globMatcher(glob)
  const found = [...graph.layers.values()].filter(({ name }) => isMatch(name))
  const automatic = found.filter(({ manual }) => !manual)
  return (automatic.length === 0 ? found : automatic).map(({ name }) => name)
}

const isGlob = (selector: string): boolean => /[*?]/.test(selector)

/** `*` is any text, `?` any one character; a name has no part the star must stop at. */
function globMatcher(glob: string): (name: string) => boolean {
  const pattern = glob
    .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll(/\*+/g, '.*')
    .replaceAll('?', '.')
  const expression = new RegExp(`^${pattern}$`)
  return (name) => expression.test(name)
}

/** Who shows the error suggests the nearest of the valid ones. */
function unknown(selector: string, names: readonly LayerName[]): ImgError {
  const message = isGlob(selector) ? `no layer matches ${selector}` : `there is no layer ${selector}`
  return new ImgError('LAYER_UNKNOWN', message, {
    hint: 'run `img ls` for the list',
    found: selector,
    validOptions: names,
  })
}
