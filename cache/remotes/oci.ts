// An OCI registry. A blob is a blob; a record is an artifact whose config is the signed record and whose layers are all
// it needs, so that the registry's garbage collection keeps them and oras or skopeo can copy them.

import { createHash } from 'node:crypto'
import { readHttp } from './http.ts'
import { type HttpAnswer, type HttpRequest, shown } from './http-request.ts'
import { type RegistryCredentials, registryAsk } from './oci-token.ts'
import { checkName, type CreateOptions, type Remote, RemoteError, type ReadOptions } from './remote.ts'

export interface OciOptions {
  /** `https://registry.example.org` */
  readonly origin: URL
  /** `team/images` */
  readonly repository: string
  readonly credentials?: RegistryCredentials
}

export function ociRemote({ origin, repository, credentials }: OciOptions): Remote {
  const asking = registryAsk(repository, credentials)
  const base = new URL(`/v2/${repository}/`, origin)
  const sizes = new Map<string, number>()

  const ask = async (
    request: Pick<HttpRequest, 'method' | 'url' | 'signal'> & Partial<HttpRequest>,
  ): Promise<HttpAnswer> => asking({ limit: manifestMax, ...request })

  const blobUrl = (digest: string): URL => new URL(`blobs/sha256:${digest}`, base)
  const manifestUrl = (name: string): URL => new URL(`manifests/${tagOf(name)}`, base)

  const hasBlob = async (digest: string, signal: AbortSignal): Promise<boolean> => {
    const { status, headers } = await ask({ method: 'HEAD', url: blobUrl(digest), signal, limit: 0 })
    if (status !== 200) return false
    sizes.set(digest, Number(headers.get('content-length') ?? 0))
    return true
  }

  const createBlob = async (
    digest: string,
    data: Buffer,
    signal: AbortSignal,
  ): Promise<'created' | 'there'> => {
    if (await hasBlob(digest, signal)) return 'there'
    const opened = await ask({ method: 'POST', url: new URL('blobs/uploads/', base), signal })
    const place = opened.headers.get('location')
    if (opened.status !== 202 || place === null)
      throw new RemoteError('answer', `${shown(opened.url)} opens no upload (HTTP ${opened.status})`)
    const url = new URL(place, opened.url)
    if (url.origin !== origin.origin)
      throw new RemoteError('answer', `${shown(opened.url)} wants the upload at ${url.origin}`)
    url.searchParams.set('digest', `sha256:${digest}`)
    const headers = { 'content-type': 'application/octet-stream' }
    const { status } = await ask({ method: 'PUT', url, signal, body: data, headers })
    if (status !== 201)
      throw new RemoteError('answer', `${shown(url)} does not take the blob (HTTP ${status})`)
    sizes.set(digest, data.length)
    return 'created'
  }

  const createManifest = async (
    name: string,
    data: Buffer,
    { signal, refers = [] }: CreateOptions,
  ): Promise<'created' | 'there'> => {
    const url = manifestUrl(name)
    const accept = { accept: manifestType }
    const there = await ask({ method: 'HEAD', url, signal, headers: accept, limit: 0 })
    if (there.status === 200) return 'there'
    const config = createHash('sha256').update(data).digest('hex')
    await createBlob(config, data, signal)
    const layers: Descriptor[] = []
    for (const refer of refers) {
      const digest = digestOf(refer)
      if (!sizes.has(digest) && !(await hasBlob(digest, signal)))
        throw new RemoteError('answer', `${shown(blobUrl(digest))} is not there, though it was written`)
      layers.push(descriptor('application/vnd.img.blob.v1', digest, sizes.get(digest)!))
    }
    const manifest = {
      schemaVersion: 2,
      mediaType: manifestType,
      artifactType: 'application/vnd.img.record.v1',
      config: descriptor('application/vnd.img.record.v1+json', config, data.length),
      layers,
      annotations: { 'org.opencontainers.image.title': name },
    }
    const body = Buffer.from(JSON.stringify(manifest))
    const { status } = await ask({
      method: 'PUT',
      url,
      signal,
      body,
      headers: { 'content-type': manifestType },
    })
    if (status !== 201) throw new RemoteError('answer', `${shown(url)} takes no manifest (HTTP ${status})`)
    return 'created'
  }

  const readBlob = (digest: string, options: ReadOptions): Promise<Buffer | undefined> =>
    readHttp(blobUrl(digest), options, asking)

  const readManifest = async (name: string, options: ReadOptions): Promise<Buffer | undefined> => {
    const { signal } = options
    const url = manifestUrl(name)
    const { status, body } = await ask({ method: 'GET', url, signal, headers: { accept: manifestType } })
    if (status === 404) return undefined
    if (status !== 200) throw new RemoteError('answer', `${shown(url)} answers HTTP ${status}`)
    const digest = configOf(body)
    if (digest === undefined) throw new RemoteError('answer', `${shown(url)} is not a record's manifest`)
    return readBlob(digest, options)
  }

  return {
    name: `oci://${origin.host}/${repository}`,
    async read(name, options) {
      checkName(name)
      return isBlob(name) ? readBlob(digestOf(name), options) : readManifest(name, options)
    },
    async has(name, signal) {
      checkName(name)
      if (isBlob(name)) return hasBlob(digestOf(name), signal)
      const headers = { accept: manifestType }
      return (await ask({ method: 'HEAD', url: manifestUrl(name), signal, headers, limit: 0 })).status === 200
    },
    async create(name, data, options) {
      checkName(name)
      return isBlob(name)
        ? createBlob(digestOf(name), data, options.signal)
        : createManifest(name, data, options)
    },
  }
}

interface Descriptor {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
}

const descriptor = (mediaType: string, digest: string, size: number): Descriptor => ({
  mediaType,
  digest: `sha256:${digest}`,
  size,
})

function configOf(manifest: Buffer): string | undefined {
  try {
    const { config } = JSON.parse(manifest.toString()) as { config?: { digest?: unknown } }
    return /^sha256:([0-9a-f]{64})$/.exec(String(config?.digest))?.[1]
  } catch {
    return undefined
  }
}

const isBlob = (name: string): boolean => name.startsWith('blobs/')

const digestOf = (name: string): string => name.slice(-64)

/** A tag has at most 128 characters and no slash; the name itself is in the annotations. */
const tagOf = (name: string): string => `record-${createHash('sha256').update(name).digest('hex')}`

const manifestType = 'application/vnd.oci.image.manifest.v1+json'
const manifestMax = 4 * 1024 * 1024
