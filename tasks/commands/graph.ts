import { ImgError } from '../errors.ts'
import { closure, type Graph, layerOf } from '../plan/graph.ts'
import type { LayerName } from '../plan/recipe.ts'
import { select } from '../plan/select.ts'
import { suggest } from '../plan/suggest.ts'
import { renderGraphSvg } from '../reporters/graph-svg.ts'
import type { Command } from './command.ts'
import { withProject } from './with-project.ts'

export const graph: Command = {
  name: 'graph',
  summary: 'print how layers depend on each other',
  arguments: '[layers...]',
  options: [
    {
      flags: '--format <format>',
      description: 'tree, dot, mermaid, svg or json',
      parse: toFormat,
      default: 'tree',
    },
  ],
  example: 'img graph --format svg > graph.svg',
  run: (call, context) =>
    withProject(call, context, (project) => {
      const all = project.graph
      const wanted = call.args.length === 0 ? [...all.layers.keys()] : closure(all, select(all, call.args))
      const format = call.json ? 'json' : (call.options['format'] as Format)
      call.print(renderers[format](all, wanted))
      return Promise.resolve(0)
    }),
}

type Format = keyof typeof renderers

function toFormat(value: string): Format {
  if (Object.hasOwn(renderers, value)) return value as Format
  const meant = suggest(value, Object.keys(renderers))
  throw new ImgError('USAGE', `--format takes tree, dot, mermaid, svg or json, not ${value}`, {
    hint: meant === undefined ? 'img graph --format dot' : `did you mean --format ${meant}?`,
    found: value,
  })
}

/** Pure; parents first. A tool tree is a dashed edge, and in a tree no edge. */
export const renderers = {
  tree: (all: Graph, names: readonly LayerName[]): string => {
    const depths = new Map<LayerName, number>()
    const below = (parent: LayerName | undefined): string[] =>
      names
        .filter((name) => layerOf(all, name).from === parent)
        .flatMap((name) => {
          const depth = parent === undefined ? 0 : (depths.get(parent) ?? 0) + 1
          depths.set(name, depth)
          return [`${'  '.repeat(depth)}${name}\n`, ...below(name)]
        })
    return below(undefined).join('')
  },
  dot: (all: Graph, names: readonly LayerName[]): string => {
    const edges = edgesOf(all, names).map(
      ({ from, to, kind }) =>
        `  ${JSON.stringify(from)} -> ${JSON.stringify(to)}${kind === 'tools' ? ' [style=dashed]' : ''}\n`,
    )
    const boxes = names.map((name) => `  ${JSON.stringify(name)}\n`)
    return `digraph img {\n  rankdir=LR\n  node [shape=box]\n${boxes.join('')}${edges.join('')}}\n`
  },
  mermaid: (all: Graph, names: readonly LayerName[]): string => {
    const id = new Map(names.map((name, index) => [name, `l${index}`]))
    const boxes = names.map((name) => `  ${id.get(name)}["${name}"]\n`)
    const edges = edgesOf(all, names).map(
      ({ from, to, kind }) => `  ${id.get(from)} ${kind === 'tools' ? '-.->' : '-->'} ${id.get(to)}\n`,
    )
    return `flowchart LR\n${boxes.join('')}${edges.join('')}`
  },
  svg: (all: Graph, names: readonly LayerName[]): string => renderGraphSvg(names, edgesOf(all, names)),
  json: (all: Graph, names: readonly LayerName[]): unknown => ({
    layers: names.map((name) => {
      const { from, chain, needs } = layerOf(all, name)
      const tools = needs.filter((need) => need !== from && !chain.includes(need))
      return { name, from: from ?? null, chain, tools }
    }),
  }),
} as const

interface Edge {
  readonly from: LayerName
  readonly to: LayerName
  readonly kind: 'parent' | 'tools'
}

function edgesOf(all: Graph, names: readonly LayerName[]): Edge[] {
  return names.flatMap((name) => {
    const entry = layerOf(all, name)
    return entry.needs.map((need): Edge => ({
      from: need,
      to: name,
      kind: need === entry.from || entry.chain.includes(need) ? 'parent' : 'tools',
    }))
  })
}
