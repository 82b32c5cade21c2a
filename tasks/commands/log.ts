import { ImgError } from '../errors.ts'
import { readLog } from '../run/read-log.ts'
import type { Command } from './command.ts'
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
      const kept = await readLog(project.store, name)
      if (kept === undefined) {
        throw new ImgError('RECORD_MISSING', `no output of ${name} is kept here`, {
          hint: `run \`img build ${name}\``,
          layer: name,
        })
      }
      // Raw on purpose: what the tools wrote, byte for byte, for whatever reads it.
      call.print(call.json ? kept : kept.text)
      return 0
    }),
}
