// Templates into a signed virt-builder repository, and what its clients need to know of it.

import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { PublishedTemplate } from '../../cache/repository/plan-publication.ts'
import type { Published, PublishOptions } from '../../cache/repository/publish.ts'
import type { RunContext } from '../context.ts'
import { ImgError } from '../errors.ts'
import { formatTable } from '../reporters/format.ts'
import type { Call } from './command.ts'
import { keepOf, type Publisher, type Publishing } from './publisher.ts'

export const publishTemplate: Publisher = (publishing, context) =>
  toRepository(publishing, publishing, context)

/** Without templates only the configuration of clients is written. */
export async function toRepository(
  { call, to }: Pick<Publishing, 'call' | 'to'>,
  templates: Pick<Publishing, 'layers' | 'disks'> | undefined,
  context: RunContext,
): Promise<void> {
  const { gpgKey } = call.options
  if (typeof gpgKey !== 'string') {
    throw new ImgError('USAGE', '--gpg-key is missing: a repository is always signed', {
      hint: 'add --gpg-key FINGERPRINT; `gpg --list-secret-keys` prints those there are',
    })
  }
  const dir = resolve(call.cwd, to)
  const conf = await makeConf(call, dir)
  const { requireTools } = await import('../run/tools.ts')
  await requireTools(['gpg', 'gpgv', 'setpriv', 'unshare', 'mount'], context)
  const { resolveSigningKey } = await import('../../cache/repository/gpg-keys.ts')
  const key = await resolveSigningKey(gpgKey, context)
  const published =
    templates === undefined
      ? { templates: [], removed: [] }
      : await publishAll(templates, { dir, key, keep: keepOf(call) }, context)
  if (conf !== undefined) await writeConf(conf, key.bytes)
  const written = conf && { conf: conf.conf, key: conf.key }
  call.print(
    call.json
      ? { repository: to, ...published, ...(written === undefined ? {} : { conf: written }) }
      : render(published, written),
  )
}

async function publishAll(
  { layers, disks }: Pick<Publishing, 'layers' | 'disks'>,
  options: PublishOptions,
  context: RunContext,
): Promise<Published> {
  const { readTemplate } = await import('../run/read-template.ts')
  const { publishTemplates } = await import('../../cache/repository/publish.ts')
  const templates = []
  for (const layer of layers) templates.push(await readTemplate(disks, layer))
  return publishTemplates(templates, options, context)
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
