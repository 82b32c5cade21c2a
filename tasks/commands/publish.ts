import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { PublishedTemplate } from '../../cache/repository/plan-publication.ts'
import type { Published } from '../../cache/repository/publish.ts'
import { ImgError } from '../errors.ts'
import { formatTable } from '../reporters/format.ts'
import type { Call, Command } from './command.ts'
import { toWholeNumber } from './machine-options.ts'
import { withLayerDisks, type WithLayerDisks } from './with-layer-disks.ts'

export const makePublish = (open: WithLayerDisks): Command => ({
  name: 'publish',
  summary: 'put templates into a signed virt-builder repository',
  arguments: '[templates...]',
  options: [
    { flags: '--to <dir>', description: 'folder of the repository' },
    { flags: '--gpg-key <fingerprint>', description: "key of the user's keyring to sign the index with" },
    { flags: '--conf <file>', description: "write the clients' configuration, and the public key beside it" },
    { flags: '--uri <address>', description: 'where clients find index.asc; the folder itself unless told' },
    {
      flags: '--keep <n>',
      description: 'replaced files kept of each template, and for an hour in any case',
      parse: toWholeNumber('--keep', 0, 1000),
      default: 2,
    },
  ],
  example:
    'img publish template:ceph-node --to /srv/images --gpg-key 0123456789ABCDEF0123456789ABCDEF01234567',
  run: async (call, context) => {
    const { to, gpgKey } = required(call)
    const dir = resolve(call.cwd, to)
    const conf = await makeConf(call, dir)
    const { requireTools } = await import('../run/tools.ts')
    await requireTools(['gpg', 'gpgv', 'setpriv', 'unshare', 'mount'], context)
    const { resolveSigningKey } = await import('../../cache/repository/gpg-keys.ts')
    const key = await resolveSigningKey(gpgKey, context)
    const published =
      call.args.length === 0
        ? { templates: [], removed: [] }
        : await open(call, context, async (disks) => {
            const { readTemplate } = await import('../run/read-template.ts')
            const { publishTemplates } = await import('../../cache/repository/publish.ts')
            const templates = []
            for (const layer of await disks.select(call.args))
              templates.push(await readTemplate(disks, layer))
            return publishTemplates(templates, { dir, key, keep: call.options['keep'] as number }, context)
          })
    if (conf !== undefined) await writeConf(conf, key.bytes)
    const written = conf && { conf: conf.conf, key: conf.key }
    call.print(
      call.json
        ? { repository: to, ...published, ...(written === undefined ? {} : { conf: written }) }
        : render(published, written),
    )
    return 0
  },
})

function required({ args, options }: Call): { readonly to: string; readonly gpgKey: string } {
  const { to, gpgKey, conf, uri } = options
  if (args.length === 0 && conf === undefined) {
    throw new ImgError('USAGE', 'no template is named', {
      hint: "name some: img publish 'template:*' --to DIR --gpg-key FINGERPRINT; with --conf alone none is needed",
    })
  }
  if (uri !== undefined && conf === undefined) {
    throw new ImgError('USAGE', '--uri without --conf says nothing to anybody', {
      hint: "add --conf FILE: the address goes into the clients' configuration",
    })
  }
  if (typeof to !== 'string') {
    throw new ImgError('USAGE', '--to is missing', { hint: 'add --to DIR, the folder of the repository' })
  }
  if (typeof gpgKey !== 'string') {
    throw new ImgError('USAGE', '--gpg-key is missing: a repository is always signed', {
      hint: 'add --gpg-key FINGERPRINT; `gpg --list-secret-keys` prints those there are',
    })
  }
  return { to, gpgKey }
}

interface WrittenConf {
  readonly conf: string
  readonly key: string
}

interface NewConf extends WrittenConf {
  readonly path: string
  readonly text: string
}

/** Before anything is published: what cannot be written down is refused. */
async function makeConf(call: Call, dir: string): Promise<NewConf | undefined> {
  const { conf, uri } = call.options
  if (typeof conf !== 'string') return undefined
  const path = resolve(call.cwd, conf)
  const keyFile = `${path.replace(/\.conf$/, '')}.gpg`
  const name = path
    .split('/')
    .at(-1)!
    .replace(/\.conf$/, '')
  const index = typeof uri === 'string' ? uri : pathToFileURL(resolve(dir, 'index.asc')).href
  const { renderClientConf } = await import('../../cache/repository/client-conf.ts')
  return { conf, path, key: keyFile, text: renderClientConf({ name, uri: index, keyFile }) }
}

/** Key first: a configuration never names one that is not there. */
async function writeConf({ conf, path, key, text }: NewConf, bytes: Buffer): Promise<void> {
  const { writeFile } = await import('node:fs/promises')
  try {
    await writeFile(key, bytes)
    await writeFile(path, text)
  } catch (cause) {
    throw new ImgError('PERMISSION', `cannot write ${conf}: ${(cause as Error).message}`, {
      path: conf,
      hint: 'name a file in a folder this user may write to',
      cause,
    })
  }
}

function render({ templates, removed }: Published, conf: WrittenConf | undefined): string {
  const rows = templates.map((one) => [one.id, `revision ${one.revision}`, words[one.status], one.file])
  const lines = [rows.length === 0 ? '' : formatTable(rows)]
  if (removed.length > 0)
    lines.push(`${removed.length} old ${removed.length === 1 ? 'file' : 'files'} removed\n`)
  if (conf !== undefined)
    lines.push(`${conf.conf} goes to virt-builder/repos.d of clients, with ${conf.key}\n`)
  return lines.join('')
}

const words: Readonly<Record<PublishedTemplate['status'], string>> = {
  new: 'new',
  changed: 'changed',
  described: 'described anew',
  unchanged: 'unchanged',
}

export const publish: Command = makePublish(withLayerDisks)
