// One repository of a registry: blobs by sha256 and manifests by tag, as the distribution specification has them.

import { type Ask, type HttpRequest, shown, type StreamedBody } from './http-request.ts'
import { type RegistryCredentials, registryAsk } from './oci-token.ts'
import { RemoteError } from './remote.ts'

export interface OciOptions {
  /** `https://registry.example.org` */
  readonly origin: URL
  /** `team/images` */
  readonly repository: string
  readonly credentials?: RegistryCredentials
}

export interface OciRegistry {
  readonly repository: string
  /** With authorization; answers of more than a manifest's length need a limit of their own. */
  readonly ask: Ask
  readonly blobUrl: (digest: string) => URL
  readonly manifestUrl: (tag: string) => URL
  /** Bytes of a blob; undefined when it is not there. Throws RemoteError, as all of these. */
  sizeOf(digest: string, signal: AbortSignal): Promise<number | undefined>
  sendBlob(digest: string, data: Buffer | StreamedBody, signal: AbortSignal): Promise<void>
  /** Takes a blob over from another repository, where the registry allows it. */
  mountBlob(digest: string, from: string, signal: AbortSignal): Promise<boolean>
  hasManifest(tag: string, signal: AbortSignal): Promise<boolean>
  readManifest(tag: string, signal: AbortSignal): Promise<Buffer | undefined>
  sendManifest(tag: string, data: Buffer, signal: AbortSignal): Promise<void>
  /** All there are; none when there is no such repository yet. */
  tags(signal: AbortSignal): Promise<readonly string[]>
}

export function openRegistry({ origin, repository, credentials }: OciOptions): OciRegistry {
  const asking = registryAsk(repository, credentials)
  const base = new URL(`/v2/${repository}/`, origin)
  const ask = async (
    request: Pick<HttpRequest, 'method' | 'url' | 'signal'> & Partial<HttpRequest>,
  ): ReturnType<Ask> => asking({ limit: manifestMax, ...request })

  const blobUrl = (digest: string): URL => new URL(`blobs/sha256:${digest}`, base)
  const manifestUrl = (tag: string): URL => new URL(`manifests/${tag}`, base)
  const headers = { accept: manifestType }

  return {
    repository,
    ask: asking,
    blobUrl,
    manifestUrl,

    async sizeOf(digest, signal) {
      const answer = await ask({ method: 'HEAD', url: blobUrl(digest), signal, limit: 0 })
      return answer.status === 200 ? Number(answer.headers.get('content-length') ?? 0) : undefined
    },

    async sendBlob(digest, data, signal) {
      const opened = await ask({ method: 'POST', url: new URL('blobs/uploads/', base), signal })
      const place = opened.headers.get('location')
      if (opened.status !== 202 || place === null)
        throw new RemoteError('answer', `${shown(opened.url)} opens no upload (HTTP ${opened.status})`)
      const url = new URL(place, opened.url)
      if (url.origin !== origin.origin)
        throw new RemoteError('answer', `${shown(opened.url)} wants the upload at ${url.origin}`)
      url.searchParams.set('digest', `sha256:${digest}`)
      const type = { 'content-type': 'application/octet-stream' }
      const { status } = await ask({ method: 'PUT', url, signal, body: data, headers: type })
      if (status !== 201)
        throw new RemoteError('answer', `${shown(url)} does not take the blob (HTTP ${status})`)
    },

    async mountBlob(digest, from, signal) {
      const url = new URL('blobs/uploads/', base)
      url.search = new URLSearchParams({ mount: `sha256:${digest}`, from }).toString()
      // Otherwise it opens an upload, which ends by itself.
      return (await ask({ method: 'POST', url, signal })).status === 201
    },

    async hasManifest(tag, signal) {
      const { status } = await ask({ method: 'HEAD', url: manifestUrl(tag), signal, headers, limit: 0 })
      return status === 200
    },

    async readManifest(tag, signal) {
      const url = manifestUrl(tag)
      const { status, body } = await ask({ method: 'GET', url, signal, headers })
      if (status === 404) return undefined
      if (status !== 200) throw new RemoteError('answer', `${shown(url)} answers HTTP ${status}`)
      return body
    },

    async sendManifest(tag, data, signal) {
      const url = manifestUrl(tag)
      const type = { 'content-type': manifestType }
      const { status } = await ask({ method: 'PUT', url, signal, body: data, headers: type })
      if (status !== 201) throw new RemoteError('answer', `${shown(url)} takes no manifest (HTTP ${status})`)
    },

    async tags(signal) {
      const found: string[] = []
      let url: URL | undefined = new URL('tags/list?n=1000', base)
      for (let pages = 0; url !== undefined && pages < pagesMax; pages++) {
        const answer: Awaited<ReturnType<Ask>> = await ask({ method: 'GET', url, signal })
        if (answer.status === 404) return found
        if (answer.status !== 200)
          throw new RemoteError('answer', `${shown(url)} answers HTTP ${answer.status}`)
        found.push(...tagsIn(answer.body, url))
        const next: string | undefined = /<([^>]+)>;\s*rel="?next"?/.exec(
          answer.headers.get('link') ?? '',
        )?.[1]
        url = next === undefined ? undefined : new URL(next, origin)
      }
      return found
    },
  }
}

function tagsIn(body: Buffer, url: URL): readonly string[] {
  try {
    const { tags } = JSON.parse(body.toString()) as { readonly tags?: readonly string[] | null }
    if (tags === undefined || tags === null) return []
    if (tags.every((tag) => typeof tag === 'string')) return tags
  } catch {
    // The same as any other answer that is no list.
  }
  throw new RemoteError('answer', `${shown(url)} sends no list of tags`)
}

export const manifestType = 'application/vnd.oci.image.manifest.v1+json'
const manifestMax = 4 * 1024 * 1024
const pagesMax = 100
