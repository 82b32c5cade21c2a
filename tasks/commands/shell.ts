import { ImgError } from '../errors.ts'
import type { Command } from './command.ts'
import { onlyLayer } from './only-layer.ts'
import { withLayerDisks, type WithLayerDisks } from './with-layer-disks.ts'

export const makeShell = (open: WithLayerDisks): Command => ({
  name: 'shell',
  summary: 'open a shell in a copy of an image, as its build steps see it; nothing is kept',
  arguments: '<layer>',
  options: [
    { flags: '--command <command>', description: 'run one command instead' },
    { flags: '--offline', description: 'let it reach nothing outside' },
  ],
  example: "img shell role:ceph-node --command 'dpkg --list'",
  run: async (call, context) => {
    const { command, offline } = call.options
    const { requireTools } = await import('../run/tools.ts')
    await requireTools(['setpriv', 'unshare', 'mount'], context)
    return open(call, context, async (disks) => {
      const layer = await onlyLayer(disks, call)
      const instead = { layer, hint: `boot it instead: \`img run ${layer} --ssh\`` }
      if (disks.isForeign(layer)) {
        throw new ImgError(
          'BACKEND_UNAVAILABLE',
          `${layer} began as somebody's template, and this machine's kernel does not mount what others made`,
          instead,
        )
      }
      if (context.uid !== 0) {
        throw new ImgError('BACKEND_UNAVAILABLE', `mounting the disk of ${layer} needs root`, instead)
      }
      const { shellInImage } = await import('../backends/shell-image.ts')
      return shellInImage(
        {
          layer,
          disk: await disks.disk(layer),
          tools: await disks.tools(layer),
          outside: offline !== true,
          ...(command === undefined ? {} : { command: command as string }),
        },
        context,
      )
    })
  },
})

export const shell: Command = makeShell(withLayerDisks)
