// Targets whose files a test gives, without a project: for commands that publish.

import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { makeOciDocuments } from '../../tasks/backends/oci-image.ts'
import type { WithLayerDisks } from '../../tasks/commands/with-layer-disks.ts'
import { fakeLayerDisks } from './layer-disks.ts'

export type Content = Readonly<Record<string, string | Buffer>>

/** `files` is asked for each name, so that a test can build another one, and see when. */
export const contentOf = (files: (layer: string, name: string) => Content): WithLayerDisks =>
  fakeLayerDisks({
    isTarget: () => true,
    files: (layer) =>
      Promise.resolve(
        Object.fromEntries(
          Object.entries(files(layer, '')).map(([name, content]) => [name, Buffer.byteLength(content)]),
        ),
      ),
    restore: (layer, name, to) =>
      Promise.resolve(writeFileSync(to, files(layer, name)[name]!, { flag: 'wx' })),
    key: (layer) => Promise.resolve(keyOf(files(layer, ''))),
  }).open

/** As good as a key: another one for other files. */
export const keyOf = (content: Content): string =>
  sha256(
    Object.entries(content)
      .map(([name, data]) => `${name} ${sha256(data)}`)
      .join(),
  )

/** An image of these layers, as a `docker` target has it. */
export function imageLayout(layers: readonly Buffer[]): Content {
  const blobs = layers.map((data) => ({ data, digest: sha256(data) }))
  const documents = makeOciDocuments({
    layers: blobs.map(({ data, digest }) => ({
      mediaType: 'application/vnd.oci.image.layer.v1.tar',
      digest,
      diffId: digest,
      size: data.length,
    })),
    arch: 'amd64',
    reference: 'web:latest',
    config: { Cmd: ['/bin/true'] },
    created: 0,
  })
  return {
    ...Object.fromEntries(documents.map(({ name, text }) => [name, text])),
    ...Object.fromEntries(blobs.map(({ data, digest }) => [`blobs/sha256/${digest}`, data])),
    'image.tar': 'the same once more',
  }
}

export const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex')
