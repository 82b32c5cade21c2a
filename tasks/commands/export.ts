import { basename, dirname, extname, resolve } from 'node:path'
import { existsSync } from 'node:fs'
import { ImgError } from '../errors.ts'
import { formatBytes, formatTable } from '../reporters/format.ts'
import { exportDisk, type DiskFormat } from '../run/export-disk.ts'
import { exportFiles } from '../run/export-files.ts'
import type { LayerDisks } from '../run/layer-disks.ts'
import type { RunContext } from '../context.ts'
import type { Call, Command } from './command.ts'
import { onlyLayer } from './only-layer.ts'
import { withLayerDisks, type WithLayerDisks } from './with-layer-disks.ts'

export const makeExport = (open: WithLayerDisks): Command => ({
  name: 'export',
  summary: "write a layer's disk to a file, or a target's files to a folder",
  arguments: '<layer> <file>',
  options: [
    { flags: '-f, --force', description: 'replace the file when there is one' },
    { flags: '--compress', description: 'compress the clusters of a qcow2 file' },
    { flags: '--bare-metal', description: 'write what the same installation on a local disk needs' },
  ],
  example: 'img export role:ceph-node ceph.qcow2',
  run: async (call, context) => {
    if (call.options['bareMetal'] === true) {
      return (await import('./export-bare-metal.ts')).exportBareMetal(call, context)
    }
    return open(call, context, async (disks) => {
      const layer = await onlyLayer(disks, call)
      const isTarget = disks.isTarget(layer)
      await (isTarget ? exportTarget : exportLayer)({ disks, layer, call }, context)
      return 0
    })
  },
})

interface Wanted {
  readonly disks: LayerDisks
  readonly layer: string
  readonly call: Call
}

async function exportLayer({ disks, layer, call }: Wanted, context: RunContext): Promise<void> {
  const [, file = ''] = call.args
  const to = resolve(call.cwd, file)
  const format = formatOf(file)
  const compress = call.options['compress'] === true
  if (compress && format !== 'qcow2') {
    throw new ImgError('USAGE', `--compress goes with a qcow2 file, not with ${basename(file)}`, {
      hint: `write to ${basename(file, extname(file))}.qcow2, or leave --compress out`,
      found: file,
    })
  }
  if (call.options['force'] !== true) refuseExisting(to, file)
  if (format === 'qcow2') {
    const { requireTools } = await import('../run/tools.ts')
    await requireTools(['qemu-img'], context)
  }
  const written = await exportDisk({ disk: await disks.disk(layer), to, format, compress }, context)
  if (call.json) call.print({ layer, file, format, digest: await disks.digest(layer), ...written })
  else call.print(`${file}: ${formatBytes(written.size)}, ${formatBytes(written.allocated)} on disk\n`)
}

async function exportTarget({ disks, layer, call }: Wanted): Promise<void> {
  const [, folder = ''] = call.args
  const to = resolve(call.cwd, folder)
  if (call.options['compress'] === true) {
    throw new ImgError('USAGE', `--compress goes with a qcow2 file, and ${layer} is a target`, {
      hint: 'leave --compress out: what a target compresses stands in the imgfile',
      found: layer,
    })
  }
  if (call.options['force'] !== true) refuseExisting(to, folder)
  const files = await disks.files(layer)
  const restore = (name: string, file: string): Promise<void> => disks.restore(layer, name, file)
  await exportFiles({ names: Object.keys(files), restore, to })
  if (call.json) call.print({ layer, folder, files })
  else
    call.print(
      formatTable(Object.entries(files).map(([name, size]) => [`${folder}/${name}`, formatBytes(size)])),
    )
}

const formats: Readonly<Record<string, DiskFormat>> = { '.raw': 'raw', '.img': 'raw', '.qcow2': 'qcow2' }

function formatOf(file: string): DiskFormat {
  const extension = extname(file)
  const format = formats[extension.toLowerCase()]
  if (format !== undefined) return format
  throw new ImgError(
    'USAGE',
    extension === ''
      ? `${file} has no extension to tell the format by`
      : `there is no disk format for ${extension}`,
    {
      hint: `end the file name in one of ${validExtensions}`,
      found: file,
      validOptions: Object.keys(formats),
    },
  )
}

const validExtensions = Object.keys(formats).join(', ')

function refuseExisting(to: string, file: string): void {
  if (!existsSync(dirname(to))) {
    throw new ImgError('USAGE', `there is no folder ${dirname(file)}`, {
      hint: 'make it, or write the file elsewhere',
    })
  }
  if (!existsSync(to)) return
  throw new ImgError('USAGE', `${file} is there already`, {
    hint: 'add --force to replace it',
    path: file,
  })
}

// `export` is a reserved word.
const exportCommand: Command = makeExport(withLayerDisks)
export { exportCommand }
