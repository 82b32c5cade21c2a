import { ImgError } from '../errors.ts'
import { formatTable } from '../reporters/format.ts'
import type { Command } from './command.ts'
import { withProject } from './with-project.ts'
import { remotesOf } from './with-remotes.ts'

export const pull: Command = {
  name: 'pull',
  summary: 'fetch layers from the shared cache, and build nothing',
  arguments: '[layers...]',
  options: [],
  example: 'img pull role:ceph-node',
  run: (call, context) =>
    withProject(call, context, async (project) => {
      const { planBuild } = await import('../build.ts')
      const remotes = await remotesOf(project)
      const plan = await planBuild(project, call.args)
      const pulled: { readonly layer: string; readonly status: 'fetched' | 'here' }[] = []
      for (const { name, action, key, reason } of plan.layers) {
        if (action === 'skip') continue
        if (action === 'reuse') {
          pulled.push({ layer: name, status: 'here' })
          continue
        }
        const found = key === undefined ? undefined : await remotes.find(key)
        if (found === undefined) {
          throw new ImgError('RECORD_MISSING', `no remote has ${name}: ${reason}`, {
            layer: name,
            hint: `build it: img build ${name}`,
          })
        }
        context.emit({ event: 'fetch-start', layer: name, key: found.record.key, from: found.name })
        await remotes.fetch(found)
        pulled.push({ layer: name, status: 'fetched' })
      }
      const rows = pulled.map(({ layer, status }) => [layer, status === 'here' ? 'here already' : status])
      call.print(call.json ? { pulled } : formatTable(rows))
      return 0
    }),
}
