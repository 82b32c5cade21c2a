// The JSON documents of an OCI image and of the archive `docker load` reads. Pure.

import { createHash } from 'node:crypto'
import { canonicalJson } from '../plan/canonical.ts'
import type { JsonValue } from '../plan/step.ts'

export interface OciLayer {
  readonly mediaType: string
  /** sha256 of the blob, and of the tar in it. */
  readonly digest: string
  readonly diffId: string
  readonly size: number
}

export interface OciDocument {
  /** `index.json`, or `blobs/sha256/…`. */
  readonly name: string
  readonly text: string
}

export interface OciParts {
  readonly layers: readonly OciLayer[]
  /** Go's name. */
  readonly arch: string
  /** `name:tag`. */
  readonly reference: string
  /** `config` of the image configuration: Cmd, Env, Labels… */
  readonly config: JsonValue
  /** Seconds since 1970. */
  readonly created: number
}

export function makeOciDocuments({
  layers,
  arch,
  reference,
  config,
  created,
}: OciParts): readonly OciDocument[] {
  const date = new Date(created * 1000).toISOString().replace('.000Z', 'Z')
  const settings = blob({
    architecture: arch,
    os: 'linux',
    created: date,
    config,
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => `sha256:${diffId}`) },
    history: layers.map(() => ({ created: date, created_by: 'img' })),
  })
  const manifest = blob({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...settings.descriptor },
    layers: layers.map(({ mediaType, digest, size }) => ({ mediaType, digest: `sha256:${digest}`, size })),
  })
  const index = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [
      {
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        ...manifest.descriptor,
        platform: { architecture: arch, os: 'linux' },
        annotations: { 'org.opencontainers.image.ref.name': reference },
      },
    ],
  }
  const archive = [
    { Config: settings.name, RepoTags: [reference], Layers: layers.map(({ digest }) => blobName(digest)) },
  ]
  return [
    { name: 'oci-layout', text: json({ imageLayoutVersion: '1.0.0' }) },
    { name: 'index.json', text: json(index) },
    { name: settings.name, text: settings.text },
    { name: manifest.name, text: manifest.text },
    { name: 'manifest.json', text: json(archive) },
  ]
}

export const blobName = (digest: string): string => `blobs/sha256/${digest}`

interface Blob extends OciDocument {
  readonly descriptor: { readonly digest: string; readonly size: number }
}

function blob(value: JsonValue): Blob {
  const text = json(value)
  const digest = createHash('sha256').update(text).digest('hex')
  const size = Buffer.byteLength(text)
  return { name: blobName(digest), text, descriptor: { digest: `sha256:${digest}`, size } }
}

const json = (value: JsonValue): string => canonicalJson(value)
