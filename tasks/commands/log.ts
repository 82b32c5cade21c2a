import { ImgError } from '../errors.ts'
import { outputLines } from '../reporters/escape.ts'
import { readLog } from '../run/read-log.ts'
import type { Call, Command } from './command.ts'
import { oneLayer } from './one-layer.ts'
import { withProject } from './with-project.ts'

export const log: Command = {
  name: 'log',
  summary: "print the kept output of a layer's build",
  arguments: '<layer>',
  options: [],
  example: 'img log role:ceph-node | less',
  run: (call, context) =>
    withProject(call, context, async (project) => {
      const name = oneLayer(project.graph, call)
      const kept = await readLog(project, name)
      if (kept === undefined) {
        throw new ImgError('RECORD_MISSING', `no output of ${name} is kept here`, {
          hint: `run \`img build ${name}\``,
          layer: name,
        })
      }
      call.print(call.json ? kept : renderLog(kept.text, call))
      return 0
    }),
}

/** Pure. Byte for byte what the tools wrote for whatever reads it; a terminal does nothing a guest tells it. */
export function renderLog(text: string, { columns }: Pick<Call, 'columns'>): string {
  if (columns === undefined) return text
  return outputLines(text)
    .map((line) => `${line}\n`)
    .join('')
}
