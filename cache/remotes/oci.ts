// An OCI registry. A blob is a blob; a record is an artifact whose config is the signed record and whose layers are all
// it needs, so that the registry's garbage collection keeps them and oras or skopeo can copy them.

import { createHash } from 'node:crypto'
import { readHttp } from './http.ts'
import { shown } from './http-request.ts'
import { manifestType, type OciOptions, openRegistry } from './oci-registry.ts'
import { checkName, type CreateOptions, type Remote, RemoteError, type ReadOptions } from './remote.ts'

export function ociRemote(options: OciOptions): Remote {
  const registry = openRegistry(options)
  const sizes = new Map<string, number>()

  const hasBlob = async (digest: string, signal: AbortSignal, wanted?: number): Promise<boolean> => {
    const size = await registry.sizeOf(digest, signal)
    if (size !== undefined) sizes.set(digest, size)
    return size !== undefined && (wanted ?? size) === size
  }

  const createBlob = async (
    digest: string,
    data: Buffer,
    { signal, replaces }: CreateOptions,
  ): Promise<'created' | 'there'> => {
    if (replaces !== true && (await hasBlob(digest, signal))) return 'there'
    await registry.sendBlob(digest, data, signal)
    sizes.set(digest, data.length)
    return 'created'
  }

  const createManifest = async (
    name: string,
    data: Buffer,
    creating: CreateOptions,
  ): Promise<'created' | 'there'> => {
    const { signal, refers = [] } = creating
    const tag = tagOf(name)
    if (await registry.hasManifest(tag, signal)) return 'there'
    const config = createHash('sha256').update(data).digest('hex')
    await createBlob(config, data, creating)
    const layers: Descriptor[] = []
    for (const refer of refers) {
      const digest = digestOf(refer)
      if (!sizes.has(digest) && !(await hasBlob(digest, signal)))
        throw new RemoteError(
          'answer',
          `${shown(registry.blobUrl(digest))} is not there, though it was written`,
        )
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
    await registry.sendManifest(tag, Buffer.from(JSON.stringify(manifest)), signal)
    return 'created'
  }

  const readBlob = (digest: string, reading: ReadOptions): Promise<Buffer | undefined> =>
    readHttp(registry.blobUrl(digest), reading, registry.ask)

  const readManifest = async (name: string, reading: ReadOptions): Promise<Buffer | undefined> => {
    const manifest = await registry.readManifest(tagOf(name), reading.signal)
    if (manifest === undefined) return undefined
    const digest = configOf(manifest)
    if (digest === undefined)
      throw new RemoteError(
        'answer',
        `${shown(registry.manifestUrl(tagOf(name)))} is not a record's manifest`,
      )
    return readBlob(digest, reading)
  }

  return {
    name: `oci://${options.origin.host}/${options.repository}`,
    async read(name, reading) {
      checkName(name)
      return isBlob(name) ? readBlob(digestOf(name), reading) : readManifest(name, reading)
    },
    async has(name, signal, size) {
      checkName(name)
      return isBlob(name) ? hasBlob(digestOf(name), signal, size) : registry.hasManifest(tagOf(name), signal)
    },
    async create(name, data, creating) {
      checkName(name)
      return isBlob(name) ? createBlob(digestOf(name), data, creating) : createManifest(name, data, creating)
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
