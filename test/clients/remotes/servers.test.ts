// The remotes' contract on real servers: nginx with WebDAV, docker-registry, an S3-compatible server of npm.

import { mkdtempSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openRemote } from '../../../cache/remotes/open-remote.ts'
import { blobOf, sendBlob } from '../../../cache/remotes/publish-entry.ts'
import { blobName } from '../../../cache/remotes/remote.ts'
import { runProgram } from '../../../tasks/run/process.ts'
import { describeRemote, digestOf, signal } from '../../contract/remote.ts'
import { signingKey } from '../../rig/entry-keys.ts'
import { startRegistry } from '../../rig/registry.ts'
import { type RemoteServer, startRemoteServer } from '../../rig/remote-servers.ts'

const folder = mkdtempSync(join(tmpdir(), 'img-servers-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let count = 0
/** Each test has a remote of its own on the one server. */
const place = (): string => `t${(count += 1)}`

describe.each(['nginx', 's3'] as const)('%s', (kind) => {
  let server: RemoteServer
  beforeAll(async () => {
    server = await startRemoteServer(kind, folder)
    return server.stop
  })
  describeRemote(kind, async () =>
    openRemote(server.url(place(), `http://127.0.0.1:${server.port}`), server.env),
  )
})

describe('docker-registry', () => {
  let port = 0
  let config = ''
  let blobs = ''
  beforeAll(async () => {
    const registry = await startRegistry(folder)
    port = registry.port
    config = registry.config
    blobs = registry.blobs
    return registry.stop
  })
  describeRemote('a registry', async () => openRemote(`oci://127.0.0.1:${port}/team/${place()}`, {}), {
    checksDigests: true,
  })

  test('its garbage collection keeps what a record refers to, and takes what none does', async () => {
    const repository = place()
    const remote = openRemote(`oci://127.0.0.1:${port}/team/${repository}`, {})
    const [kept, lost] = [Buffer.from('kept'), Buffer.from('lost')]
    for (const data of [kept, lost]) await remote.create(blobName(digestOf(data)), data, { signal })
    const refers = [blobName(digestOf(kept))]
    await remote.create('records/main/ab/abc/def', Buffer.from('{}'), { signal, refers })
    await runProgram(['docker-registry', 'garbage-collect', config], { signal })
    const seen = openRemote(`oci://127.0.0.1:${port}/team/${repository}`, {})
    expect(await seen.has(blobName(digestOf(kept)), signal)).toBe(true)
    expect(await seen.has(blobName(digestOf(lost)), signal)).toBe(false)
  })

  test('a blob that is cut short in its storage is said to stay so', async () => {
    const remote = openRemote(`oci://127.0.0.1:${port}/team/${place()}`, {})
    const blob = blobOf(Buffer.from('cut short'))
    const to = { remote, key: signingKey('ci', ['main']).own, project: 'p', namespace: 'main', signal }
    expect(await sendBlob(blob, to)).toBe(blob.size)
    truncateSync(join(blobs, 'sha256', blob.digest.slice(0, 2), blob.digest, 'data'), 3)
    await expect(sendBlob(blob, to)).rejects.toThrow(`keeps ${blobName(blob.digest)} in another length`)
  })

  test('skopeo copies a record as the artifact it is', async () => {
    const repository = place()
    const remote = openRemote(`oci://127.0.0.1:${port}/team/${repository}`, {})
    const data = Buffer.from('a pack')
    await remote.create(blobName(digestOf(data)), data, { signal })
    await remote.create('records/main/ab/abc/def', Buffer.from('{}'), {
      signal,
      refers: [blobName(digestOf(data))],
    })
    const tag = `record-${digestOf(Buffer.from('records/main/ab/abc/def'))}`
    const source = `docker://127.0.0.1:${port}/team/${repository}:${tag}`
    const inspected = await runProgram(['skopeo', 'inspect', '--raw', '--tls-verify=false', source], {
      signal,
    })
    expect(JSON.parse(inspected.stdout)).toMatchObject({
      artifactType: 'application/vnd.img.record.v1',
      layers: [{ digest: `sha256:${digestOf(data)}`, size: data.length }],
      annotations: { 'org.opencontainers.image.title': 'records/main/ab/abc/def' },
    })
    const to = `dir:${join(folder, repository)}`
    const copied = await runProgram(['skopeo', 'copy', '--src-tls-verify=false', source, to], { signal })
    expect(copied).toMatchObject({ exitCode: 0 })
  })
})
