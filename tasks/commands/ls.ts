import type { PlannedLayer } from '../plan/plan.ts'
import { formatBytes, formatDuration, formatTable } from '../reporters/format.ts'
import type { LatestBuild } from '../run/latest-build.ts'
import type { Command } from './command.ts'
import { withProject } from './with-project.ts'

export interface ListedLayer {
  readonly name: string
  /** `current`: a build would do nothing. `stale`: built, but not as it is declared now. `missing`: never built. */
  readonly state: 'current' | 'stale' | 'missing'
  /** Of the newest build, without holes; with the time it began. */
  readonly bytes?: number
  readonly started?: number
  readonly key?: string
  /** The newest build was made from another folder. */
  readonly elsewhere?: true
}

export const ls: Command = {
  name: 'ls',
  summary: 'list layers with state, size and age',
  arguments: '[layers...]',
  options: [],
  example: "img ls 'role:*'",
  run: (call, context) =>
    withProject(call, context, async (project) => {
      const [{ planBuild }, { select }, { latestBuild }] = await Promise.all([
        import('../build.ts'),
        import('../plan/select.ts'),
        import('../run/latest-build.ts'),
      ])
      const names =
        call.args.length === 0 ? [...project.graph.layers.keys()] : select(project.graph, call.args)
      const planned = new Map((await planBuild(project, names)).layers.map((layer) => [layer.name, layer]))
      const layers: ListedLayer[] = []
      for (const name of names)
        layers.push(listed(name, planned.get(name), await latestBuild(project.store, name)))
      call.print(call.json ? { layers } : renderList(layers, context.now()))
      return 0
    }),
}

function listed(
  name: string,
  planned: PlannedLayer | undefined,
  latest: LatestBuild | undefined,
): ListedLayer {
  const current = planned?.action === 'reuse' || planned?.action === 'fetch'
  const bytes = Object.values(latest?.artifact ?? {}).reduce((sum, file) => sum + file.dataBytes, 0)
  return {
    name,
    state: current ? 'current' : latest === undefined ? 'missing' : 'stale',
    ...(latest === undefined ? {} : { bytes, started: latest.started }),
    ...(latest?.elsewhere === undefined ? {} : { elsewhere: latest.elsewhere }),
    ...(planned?.key === undefined ? {} : { key: planned.key }),
  }
}

/** Pure. */
export function renderList(layers: readonly ListedLayer[], now: number): string {
  const rows = layers.map(({ name, state, bytes, started, elsewhere }) => [
    name,
    state,
    bytes === undefined ? '-' : formatBytes(bytes),
    started === undefined
      ? '-'
      : `${formatDuration(Math.max(0, now - started))} ago${elsewhere === true ? ' from another folder' : ''}`,
  ])
  return formatTable([['layer', 'state', 'size', 'built'], ...rows])
}
