import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { makeOciDocuments } from '../../../tasks/backends/oci-image.ts'

const documents = makeOciDocuments({
  layers: [
    { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: 'aa', diffId: 'bb', size: 7 },
    { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: 'cc', diffId: 'dd', size: 9 },
  ],
  arch: 'amd64',
  reference: 'web:latest',
  config: { Cmd: ['/bin/bash'] },
  created: 1_577_836_800,
})

const json = (place: number): unknown => JSON.parse(documents[place]?.text ?? '')

test('the documents point to each other by digest', () => {
  expect(documents.map(({ name }) => name.replace(/[0-9a-f]{64}/, 'DIGEST'))).toEqual([
    'oci-layout',
    'index.json',
    'blobs/sha256/DIGEST',
    'blobs/sha256/DIGEST',
    'manifest.json',
  ])
  for (const { name, text } of documents.slice(2, 4)) {
    expect(name).toBe(`blobs/sha256/${createHash('sha256').update(text).digest('hex')}`)
  }
  const [, , config, manifest] = documents
  expect(json(1)).toEqual({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [
      {
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        digest: manifest?.name.replace('blobs/sha256/', 'sha256:'),
        size: manifest?.text.length,
        platform: { architecture: 'amd64', os: 'linux' },
        annotations: { 'org.opencontainers.image.ref.name': 'web:latest' },
      },
    ],
  })
  expect(json(3)).toMatchObject({
    schemaVersion: 2,
    config: { digest: config?.name.replace('blobs/sha256/', 'sha256:'), size: config?.text.length },
    layers: [
      { digest: 'sha256:aa', size: 7 },
      { digest: 'sha256:cc', size: 9 },
    ],
  })
})

test('the configuration has what the format demands', () => {
  expect(json(2)).toEqual({
    architecture: 'amd64',
    os: 'linux',
    created: '2020-01-01T00:00:00Z',
    config: { Cmd: ['/bin/bash'] },
    rootfs: { type: 'layers', diff_ids: ['sha256:bb', 'sha256:dd'] },
    history: [
      { created: '2020-01-01T00:00:00Z', created_by: 'img' },
      { created: '2020-01-01T00:00:00Z', created_by: 'img' },
    ],
  })
})

test('docker load finds its own manifest', () => {
  expect(json(4)).toEqual([
    {
      Config: documents[2]?.name,
      RepoTags: ['web:latest'],
      Layers: ['blobs/sha256/aa', 'blobs/sha256/cc'],
    },
  ])
})
