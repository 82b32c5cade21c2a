import type { LayerRecord } from '../../cache/store.ts'
import { ImgError } from '../errors.ts'
import { formatBytes, formatDuration, formatTable } from '../reporters/format.ts'
import type { Command } from './command.ts'
import { oneLayer } from './one-layer.ts'
import { withProject } from './with-project.ts'

export const show: Command = {
  name: 'show',
  summary: "print a layer's record",
  arguments: '<layer>',
  options: [],
  example: 'img show role:ceph-node --json',
  run: (call, context) =>
    withProject(call, context, async (project) => {
      const name = oneLayer(project.graph, call)
      const record = await project.store.latest(name)
      if (record === undefined) {
        throw new ImgError('RECORD_MISSING', `${name} was never built here`, {
          hint: `run \`img build ${name}\``,
          layer: name,
        })
      }
      call.print(call.json ? record : renderRecord(record))
      return 0
    }),
}

/** Pure. The newest build; what it was made of is in --json. */
export function renderRecord(record: LayerRecord): string {
  const rows: string[][] = [
    ['layer', record.layer],
    ['key', record.key],
    ['tree digest', record.treeDigest],
    ['started', new Date(record.started).toISOString()],
    ['backend', record.backend],
  ]
  for (const [name, { size, dataBytes, diskDigest }] of Object.entries(record.artifact)) {
    rows.push([name, `${formatBytes(size)}, ${formatBytes(dataBytes)} in use, ${diskDigest.slice(0, 12)}`])
  }
  for (const [name, parent] of Object.entries(record.parents)) {
    rows.push(['stands on', `${name} ${parent.treeDigest.slice(0, 12)}`])
  }
  for (const [name, input] of Object.entries(record.inputs)) {
    const count = input.files.length
    const files = count === 0 ? '' : `, ${count} ${count === 1 ? 'file' : 'files'}`
    rows.push(['input', `${name}: ${input.kind} ${input.digest.slice(0, 12)}${files}`])
  }
  for (const [name, version] of Object.entries(record.tools)) rows.push(['tool', `${name} ${version}`])
  for (const [phase, ms] of Object.entries(record.durations))
    rows.push(['took', `${formatDuration(ms)} ${phase}`])
  return formatTable(rows)
}
