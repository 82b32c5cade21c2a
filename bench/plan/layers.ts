// 100,000 layers in three shapes: declare, graph, decide with every key computed, plan, schedule. The mark is 10 s and
// 1.5 GiB for graph, decisions and plan together; more is an exit status of 1. One shape a process, for its memory;
// processor time and not the clock, for a busy machine.

import { layer } from '../../tasks/plan/declare.ts'
import { makeGraph } from '../../tasks/plan/graph.ts'
import type { PastBuild } from '../../tasks/plan/past-build.ts'
import { makePlan } from '../../tasks/plan/plan.ts'
import type { Layer, LayerName, Recipe } from '../../tasks/plan/recipe.ts'
import { decideLayers, type Oracle } from '../../tasks/run/decide.ts'
import { schedule } from '../../tasks/run/schedule.ts'

const [shape = 'chain', state = 'cached', layerCount = '100000'] = process.argv.slice(2)
const count = Number(layerCount)
const limits = { seconds: 10, bytes: 1.5 * 2 ** 30 }

const tools = layer('tools:bench', beginning('tools'))

/** Every recipe has tools, an input and a few steps, as real ones have. */
function beginning(content: string): Recipe {
  return { ...changing(content), name: 'begin', parent: 'none' }
}

function changing(content: string, tree?: Layer): Recipe {
  return {
    name: 'change',
    mode: 'chroot',
    parent: 'required',
    inputs: { token: { kind: 'env', name: 'TOKEN' } },
    ...(tree === undefined ? {} : { tools: tree }),
    steps: (facts) => [
      { do: 'write', path: '/etc/motd', content: `${content} ${facts.env('token')}`, mode: '0644' },
      { do: 'run', argv: ['systemctl', 'enable', content], label: content },
      { do: 'link', path: '/etc/localtime', target: '/usr/share/zoneinfo/Etc/UTC' },
    ],
  }
}

const shapes: Readonly<Record<string, () => Layer[]>> = {
  chain: () => {
    const made = [layer('chain:0', beginning('0'))]
    for (let place = 1; place < count; place++) {
      made.push(layer(`chain:${place}`, changing(`${place}`, tools), { from: made[place - 1] as Layer }))
    }
    return made
  },
  'fan-out': () => {
    const first = layer('fan:0', beginning('0'))
    const others = Array.from({ length: count - 1 }, (_, place) =>
      layer(`fan:${place + 1}`, changing(`${place}`, tools), { from: first }),
    )
    return [first, ...others]
  },
  // A layer has one parent, so the other side of each diamond is a tool tree.
  diamond: () => {
    const made = [layer('diamond:0', beginning('0'))]
    for (let place = 1; made.length < count; place++) {
      const top = made.at(-1) as Layer
      const [left, right] = ['left', 'right'].map((side) =>
        layer(`diamond:${side}-${place}`, changing(side, tools), { from: top }),
      )
      if (left === undefined || right === undefined) return made
      made.push(left, right, layer(`diamond:${place}`, changing(`${place}`, right), { from: left }))
    }
    return made
  },
}

/** Answers without waiting. `built`: everything is in the store, so that every key is computed. */
const oracle = (built: boolean): Oracle => ({
  arch: 'amd64',
  resolve: async () => ({
    inputs: { '0.token': { kind: 'env', digest: 'd', files: [], inKey: true, value: 'token' } },
  }),
  find: async (key) => (built ? { hit: true, record: pastBuild(key) } : { hit: false, reason: 'none' }),
  latest: async () => undefined,
})

const pastBuild = (key: string): PastBuild => ({
  key,
  layer: 'bench:x',
  keyRecord: null,
  treeDigest: key,
  artifact: {},
  inputs: {},
  parents: {},
  durations: { total: 1000 },
})

const times: [string, number][] = []
let last = process.cpuUsage()
const lap = (name: string): void => {
  const { user, system } = process.cpuUsage(last)
  times.push([name, (user + system) / 1e6])
  last = process.cpuUsage()
}
const layers = shapes[shape]?.() ?? []
lap('declare')
const graph = makeGraph({ layers })
lap('graph')
const wanted: LayerName[] = [...graph.layers.keys()]
const decisions = await decideLayers(graph, wanted, oracle(state === 'cached'))
lap('decide')
const plan = makePlan(graph, wanted, decisions)
lap('plan')
const bytes = process.resourceUsage().maxRSS * 1024
const todo = plan.layers.map(({ name }) => ({ name, needs: graph.layers.get(name)?.needs ?? [] }))
const outcomes = await schedule(todo, {
  budgets: { concurrency: 4 },
  mode: 'fail-fast',
  signal: new AbortController().signal,
  now: () => 0,
  run: async () => ({ status: 'reused', key: '', ms: 0 }),
})
lap('schedule')
const seconds = times.slice(1, 4).reduce((sum, [, time]) => sum + time, 0)
const tooMuch = seconds > limits.seconds || bytes > limits.bytes
console.log(
  `${shape.padEnd(7)} ${state.padEnd(7)} ${graph.layers.size} layers: ` +
    times.map(([name, time]) => `${name} ${time.toFixed(2)} s`).join(', ') +
    ` | graph, decide and plan ${seconds.toFixed(2)} s, at most ${(bytes / 2 ** 20).toFixed(0)} MiB` +
    (tooMuch ? ' TOO MUCH' : ''),
)
process.exitCode = tooMuch || outcomes.size !== graph.layers.size ? 1 : 0
