// The remotes' contract on real servers: nginx with WebDAV, docker-registry, an S3-compatible server of npm.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openRemote } from '../../../cache/remotes/open-remote.ts'
import { blobName } from '../../../cache/remotes/remote.ts'
import { runProgram } from '../../../tasks/run/process.ts'
import { describeRemote, digestOf, signal } from '../../contract/remote.ts'
import { startRegistry } from '../../rig/registry.ts'
import { freePort, startServer } from '../../rig/server.ts'

const folder = mkdtempSync(join(tmpdir(), 'img-servers-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let count = 0
/** Each test has a remote of its own on the one server. */
const place = (): string => `t${(count += 1)}`

describe('nginx', () => {
  let port = 0
  beforeAll(async () => {
    port = await freePort()
    const root = join(folder, 'nginx')
    mkdirSync(join(root, 'www'), { recursive: true })
    const config = join(root, 'nginx.conf')
    writeFileSync(
      config,
      `daemon off;
user root;
pid ${root}/pid;
error_log ${root}/error.log;
events {}
http {
  access_log off;
  client_max_body_size 64m;
  ${['body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name === 'body' ? 'client_body' : name}_temp_path ${root}/${name};`).join('\n  ')}
  server {
    listen 127.0.0.1:${port};
    root ${root}/www;
    location / { dav_methods PUT MKCOL; create_full_put_path on; }
  }
}
`,
    )
    return startServer(['nginx', '-c', config, '-p', root], { port })
  })
  describeRemote('nginx with WebDAV', async () => openRemote(`http://127.0.0.1:${port}/${place()}`, {}))
})

describe('docker-registry', () => {
  let port = 0
  let config = ''
  beforeAll(async () => {
    const registry = await startRegistry(folder)
    port = registry.port
    config = registry.config
    return registry.stop
  })
  describeRemote('a registry', async () => openRemote(`oci://127.0.0.1:${port}/team/${place()}`, {}))

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

describe('S3', () => {
  let port = 0
  const env = { AWS_ACCESS_KEY_ID: 'S3RVER', AWS_SECRET_ACCESS_KEY: 'S3RVER' }
  beforeAll(async () => {
    port = await freePort()
    const directory = join(folder, 's3')
    mkdirSync(directory)
    const argv = ['npx', '--yes', 's3rver@3.7.1', '--directory', directory, '--address', '127.0.0.1']
    return startServer([...argv, '--port', String(port), '--configure-bucket', 'images'], { port })
  })
  describeRemote('an S3-compatible server', async () =>
    openRemote(`s3://images/${place()}?endpoint=http://127.0.0.1:${port}&conditional=no`, env),
  )
})
