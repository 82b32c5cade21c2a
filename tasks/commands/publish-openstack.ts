// OpenStack images into Glance.

import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { openGlance } from '../../cache/destinations/glance.ts'
import { openstackLogin } from '../../cache/destinations/openstack-login.ts'
import { openSession } from '../../cache/destinations/openstack-session.ts'
import { publishGlance, type PublishedGlance } from '../../cache/destinations/publish-glance.ts'
import { withKeyLock } from '../../cache/locks.ts'
import { RemoteError } from '../../cache/remotes/remote.ts'
import { ImgError } from '../errors.ts'
import { formatBytes } from '../reporters/format.ts'
import type { LayerDisks } from '../run/layer-disks.ts'
import { keepOf, type Publisher, withFiles } from './publisher.ts'

export const publishOpenstack: Publisher = async ({ layers, disks, call, to }, context) => {
  const { signal, env } = context
  const login = openstackLogin(to.slice('glance:'.length), { env, cwd: call.cwd })
  const publisher = await readPublisher(disks)
  const options = { keep: keepOf(call), publisher }
  const published: (PublishedGlance & { readonly layer: string })[] = []
  for (const layer of layers) {
    // Two from here at once would take each other's upload for one that was left.
    const lock = { folder: join(context.cacheDir, 'locks'), key: `publish ${to} ${layer}` }
    try {
      const one = await withFiles({ disks, layer }, context, (files) =>
        withKeyLock(lock, { signal }, async () => {
          const glance = openGlance(await openSession(login, signal), signal)
          return publishGlance({ files, glance }, options, context)
        }),
      )
      published.push({ layer, ...one })
    } catch (cause) {
      throw cause instanceof RemoteError ? failed(layer, to, cause) : cause
    }
  }
  call.print(call.json ? { to, published } : published.map(render).join(''))
}

/** Nothing about this machine: a number to know our own uploads by. */
async function readPublisher(disks: LayerDisks): Promise<string> {
  const found = await disks.readValue('publisher')
  if (found !== undefined) return found.toString()
  const made = randomUUID()
  await disks.writeValue('publisher', made)
  return made
}

const failed = (layer: string, to: string, cause: RemoteError): ImgError =>
  new ImgError('REMOTE_FAILED', `cannot publish ${layer} to ${to.replace(/:$/, '')}: ${cause.message}`, {
    layer,
    hint:
      cause.fault === 'denied'
        ? 'check the OS_ variables or clouds.yaml: who logs in must be allowed to create images'
        : 'nothing changed for readers: try again later',
    cause,
  })

function render({ layer, ...one }: PublishedGlance & { readonly layer: string }): string {
  const { status, image, id, revision, sent, hidden, removed } = one
  const more = [
    ...(hidden.length === 0 ? [] : [`${hidden.length} before it hidden`]),
    ...(removed.length === 0 ? [] : [`${removed.length} removed`]),
  ]
  const bytes = `${formatBytes(sent)} uploaded`
  return `${[layer, `revision ${revision}`, status, [bytes, ...more].join(', ')].join('  ')}\n${image} ${id}\n`
}
