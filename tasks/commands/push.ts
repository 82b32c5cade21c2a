import { ImgError } from '../errors.ts'
import { formatBytes, formatTable } from '../reporters/format.ts'
import type { Pushed } from '../run/remotes.ts'
import type { Command } from './command.ts'
import { withProject } from './with-project.ts'
import { remotesOf } from './with-remotes.ts'

export const push: Command = {
  name: 'push',
  summary: 'send layers to the shared cache',
  arguments: '[layers...]',
  options: [],
  example: "img push 'role:*'",
  run: (call, context) =>
    withProject({ ...call, options: { ...call.options, sharesKnown: true } }, context, async (project) => {
      const { planBuild } = await import('../build.ts')
      const remotes = await remotesOf(project)
      const plan = await planBuild(project, call.args)
      const pushed: (Pushed & { readonly layer: string })[] = []
      for (const { name, key, action } of plan.layers) {
        const found = key === undefined ? undefined : await project.store.find(key)
        if (found?.hit === true) {
          for (const one of await remotes.push(found.record)) pushed.push({ layer: name, ...one })
        } else if (action === 'build' || action === 'undecided') {
          throw new ImgError('RECORD_MISSING', `${name} is not built, so there is nothing to push`, {
            layer: name,
            hint: `img build ${name}`,
          })
        }
      }
      call.print(call.json ? { pushed } : renderPushed(pushed))
      return 0
    }),
}

/** Pure. */
export function renderPushed(pushed: readonly (Pushed & { readonly layer: string })[]): string {
  const rows = pushed.map(({ layer, remote, namespace, status, sent }) => [
    layer,
    `${remote} ${namespace}`,
    status === 'there' && sent === 0 ? 'there already' : `${formatBytes(sent)} sent`,
  ])
  return rows.length === 0 ? 'nothing to push\n' : formatTable(rows)
}
