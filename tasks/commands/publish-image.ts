// Container images into a registry.

import { pushImage, type PushedImage } from '../../cache/destinations/push-image.ts'
import { openRegistry, type OciOptions } from '../../cache/remotes/oci-registry.ts'
import { registryLogin, registryOrigin } from '../../cache/remotes/registry-access.ts'
import { RemoteError } from '../../cache/remotes/remote.ts'
import type { RunContext } from '../context.ts'
import { ImgError } from '../errors.ts'
import { formatBytes } from '../reporters/format.ts'
import type { LayerDisks } from '../run/layer-disks.ts'
import { type Publisher, withFiles } from './publisher.ts'

export const publishImage: Publisher = async ({ layers: [layer = ''], disks, call, to }, context) => {
  const place = parsePlace(to, call.options['plainHttp'] === true, context.env)
  const key = await disks.key(layer)
  const tags = (call.options['tag'] as readonly string[] | undefined) ?? []
  const places = await readPlaces(disks, place)
  const pushed = await withFiles({ disks, layer }, context, (files) =>
    pushImage({ files, key, tags, places }, openRegistry(place), context.signal),
  ).catch((cause: unknown) => {
    throw cause instanceof RemoteError ? failed(layer, to, cause) : cause
  })
  await disks.writeValue(placesOf(place), JSON.stringify([...places].slice(-placesMax)))
  call.print(call.json ? { to, published: [{ layer, ...pushed }] } : render(layer, to, pushed))
}

function parsePlace(to: string, plainHttp: boolean, env: RunContext['env']): OciOptions {
  const url = URL.canParse(to) ? new URL(to) : undefined
  const repository = url?.pathname.slice(1) ?? ''
  const isPlace = url !== undefined && url.host !== '' && `docker://${url.host}/${repository}` === to
  if (!isPlace || !/^[a-z0-9]+(?:(?:[._/]|__|-+)[a-z0-9]+)*$/.test(repository)) {
    throw new ImgError('USAGE', `${to} is no repository of a registry`, {
      hint: 'write docker://HOST[:PORT]/REPOSITORY in small letters, without tag: that is --tag',
      found: to,
    })
  }
  const credentials = registryLogin(url.host, env)
  const origin = registryOrigin(url, { plainHttp })
  return { origin, repository, ...(credentials === undefined ? {} : { credentials }) }
}

/** Where blobs were pushed to from here: a registry that is told takes them over instead of uploads. */
async function readPlaces(disks: LayerDisks, place: OciOptions): Promise<Map<string, string>> {
  const value = await disks.readValue(placesOf(place))
  return new Map(value === undefined ? [] : (JSON.parse(value.toString()) as [string, string][]))
}

const placesOf = ({ origin }: OciOptions): string => `pushed:${origin.host}`

const placesMax = 4096

const failed = (layer: string, to: string, cause: RemoteError): ImgError =>
  new ImgError('REMOTE_FAILED', `cannot push ${layer} to ${to}: ${cause.message}`, {
    layer,
    hint:
      cause.fault === 'denied'
        ? 'log in with `docker login` or `podman login`, or set IMG_REGISTRY_USER and IMG_REGISTRY_PASSWORD'
        : 'try again later: what was uploaded so far is not uploaded again',
    cause,
  })

function render(
  layer: string,
  to: string,
  { status, revision, digest, tags, sent, there }: PushedImage,
): string {
  const repository = to.replace('docker://', '')
  const bytes = `${formatBytes(sent)} uploaded, ${formatBytes(there)} there already`
  return `${layer}  revision ${revision}  ${status}  ${bytes}\n${repository}@${digest}\n${tags
    .map((tag) => `${repository}:${tag}\n`)
    .join('')}`
}
