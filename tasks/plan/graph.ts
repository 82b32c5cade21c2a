// Who stands on whom. Pure, and without recursion: a chain of 100,000 layers is as good as ten.

import { ImgError } from '../errors.ts'
import { placeFields, relativePlace } from './place.ts'
import type { Imgfile, Layer, LayerName, Recipe } from './recipe.ts'

export interface Graph {
  /** Every layer reachable from the imgfile, parents and tool trees before those that need them. */
  readonly layers: ReadonlyMap<LayerName, GraphLayer>
}

/** A layer with its edges. They are read from the values once, so a getter cannot change its mind. */
export interface GraphLayer {
  readonly name: LayerName
  readonly layer: Layer
  readonly from: LayerName | undefined
  /**
   * The tool tree each recipe runs with, by the recipe's place: its own, else the layer's first, else the parent's.
   * Undefined only in a tool tree and what stands on it.
   */
  readonly recipeTools: readonly (LayerName | undefined)[]
  /** What `from` stands on, oldest first, when a recipe asks for the whole chain; else empty. */
  readonly chain: readonly LayerName[]
  /** `from`, the chain and the distinct tool trees. */
  readonly needs: readonly LayerName[]
  /** Left out by patterns: it, or a layer it stands on, is declared so. */
  readonly manual: boolean
  /** Its disk began as a template somebody else may have made: this machine's kernel must not mount it. */
  readonly foreign: boolean
  /** The imgfile's folder, when it is known: where places in messages are relative to. */
  readonly root: string | undefined
}

/** Where the layer was declared, as fields of an ImgError about it. */
export function declaredFields({ layer, root }: GraphLayer): { path?: string; line?: number } {
  return placeFields(relativePlace(layer.declaredAt, root))
}

/** All layers of an imgfile, those that only others refer to included. `root` shortens the places in messages. */
export function makeGraph(imgfile: Imgfile, root?: string): Graph {
  const edges = new Map<LayerName, Edges>()
  const layers = new Map<LayerName, GraphLayer>()
  for (const first of imgfile.layers) visit(first, { edges, layers, root })
  return { layers }
}

/** The layer of a name that is known to be in the graph. */
export function layerOf(graph: Graph, name: LayerName): GraphLayer {
  const found = graph.layers.get(name)
  if (found === undefined) throw new Error(`${name} is not in the graph`)
  return found
}

/** The named layers and everything they need, in the graph's order. */
export function closure(graph: Graph, names: Iterable<LayerName>): LayerName[] {
  const needed = new Set<LayerName>(names)
  for (const name of needed) for (const need of layerOf(graph, name).needs) needed.add(need)
  return [...graph.layers.keys()].filter((name) => needed.has(name))
}

interface Edges {
  readonly layer: Layer
  readonly from: Layer | undefined
  readonly tools: readonly (Layer | undefined)[]
  readonly chain: boolean
}

interface Making {
  readonly edges: Map<LayerName, Edges>
  /** Filled in post-order, which is the topological order. */
  readonly layers: Map<LayerName, GraphLayer>
  readonly root: string | undefined
}

/** Depth-first with a stack of our own; `path` holds the layers being entered, innermost last. */
function visit(first: Layer, making: Making): void {
  const path: { name: LayerName; pending: Layer[] }[] = []
  const onPath = new Set<LayerName>()
  const enter = (layer: Layer): void => {
    const edges = edgesOf(layer, making)
    if (making.layers.has(layer.name)) return
    if (onPath.has(layer.name)) throw cycle([...onPath, layer.name], edges.layer, making.root)
    onPath.add(layer.name)
    const needed = [edges.from, ...edges.tools].filter((need) => need !== undefined)
    path.push({ name: layer.name, pending: needed.toReversed() })
  }
  enter(first)
  for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
    const next = top.pending.pop()
    if (next !== undefined) {
      enter(next)
      continue
    }
    path.pop()
    onPath.delete(top.name)
    making.layers.set(top.name, toGraphLayer(top.name, making))
  }
}

function edgesOf(layer: Layer, making: Making): Edges {
  const known = making.edges.get(layer.name)
  if (known === undefined) {
    const edges = {
      layer,
      from: layer.from,
      tools: layer.recipes.map((recipe) => recipe.tools),
      chain: layer.recipes.some((recipe) => recipe.chain === true),
    }
    making.edges.set(layer.name, edges)
    return edges
  }
  if (known.layer !== layer) throw duplicate(known.layer, layer, making.root)
  return known
}

function toGraphLayer(name: LayerName, making: Making): GraphLayer {
  const { layer, from, tools, chain: wantsChain } = making.edges.get(name) as Edges
  const parent = from === undefined ? undefined : making.layers.get(from.name)
  const chain = wantsChain ? ancestors(parent, making) : []
  const shared = tools.find((tree) => tree !== undefined)?.name ?? parent?.recipeTools.find(Boolean)
  const recipeTools = tools.map((tree) => tree?.name ?? shared)
  const needs = [from?.name, ...chain, ...recipeTools].filter((need) => need !== undefined)
  return {
    name,
    layer,
    from: from?.name,
    chain,
    recipeTools,
    needs: [...new Set(needs)],
    manual: layer.manual === true || parent?.manual === true,
    foreign: parent?.foreign === true || layer.recipes.some(takesTemplate),
    root: making.root,
  }
}

function takesTemplate({ inputs }: Recipe): boolean {
  return Object.values(inputs).some(({ kind }) => kind === 'template')
}

/** Oldest first, without the layer itself. */
function ancestors(layer: GraphLayer | undefined, making: Making): readonly LayerName[] {
  const names: LayerName[] = []
  for (let name = layer?.from; name !== undefined; name = making.layers.get(name)?.from) names.push(name)
  return names.toReversed()
}

function duplicate(first: Layer, second: Layer, root: string | undefined): ImgError {
  const [there, here] = [first, second].map((layer) => relativePlace(layer.declaredAt, root))
  const places = there === undefined || here === undefined ? '' : `: ${there} and ${here}`
  return new ImgError('LAYER_DUPLICATE', `two layers are called ${second.name}${places}`, {
    hint: 'rename one, or declare it once and use the value twice',
    layer: second.name,
    ...placeFields(here),
  })
}

function cycle(path: readonly LayerName[], layer: Layer, root: string | undefined): ImgError {
  const start = path.indexOf(layer.name)
  return new ImgError('LAYER_CYCLE', `layers need each other: ${path.slice(start).join(' -> ')}`, {
    hint: `give one of them a parent or tool tree outside this circle`,
    layer: layer.name,
    ...placeFields(relativePlace(layer.declaredAt, root)),
  })
}
