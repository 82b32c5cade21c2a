// Servers a shared cache may lie on, as child processes on 127.0.0.1.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startRegistry } from './registry.ts'
import { freePort, startServer } from './server.ts'

export interface RemoteServer {
  readonly port: number
  /** The remote's URL when it is asked at a port: that of a proxy, or its own. */
  readonly url: (place: string, origin: string) => string
  readonly env: Readonly<Record<string, string>>
  readonly stop: () => Promise<void>
}

export type ServerKind = 'nginx' | 'registry' | 's3'

export async function startRemoteServer(kind: ServerKind, folder: string): Promise<RemoteServer> {
  return { nginx: startNginx, registry: startOci, s3: startS3 }[kind](folder)
}

async function startNginx(folder: string): Promise<RemoteServer> {
  const port = await freePort()
  const root = join(folder, 'nginx')
  mkdirSync(join(root, 'www'), { recursive: true })
  const config = join(root, 'nginx.conf')
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
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
  ${temporary.map((name) => `${name}_temp_path ${root}/${name};`).join('\n  ')}
  server {
    listen 127.0.0.1:${port};
    root ${root}/www;
    location / { dav_methods PUT MKCOL; create_full_put_path on; }
  }
}
`,
  )
  const stop = await startServer(['nginx', '-c', config, '-p', root], { port })
  return { port, url: (place, origin) => `${origin}/${place}`, env: {}, stop }
}

async function startOci(folder: string): Promise<RemoteServer> {
  const { port, stop } = await startRegistry(folder)
  return { port, url: (place, origin) => `${origin.replace(/^https?/, 'oci')}/team/${place}`, env: {}, stop }
}

async function startS3(folder: string): Promise<RemoteServer> {
  const port = await freePort()
  const directory = join(folder, 's3')
  mkdirSync(directory)
  const argv = ['npx', '--yes', 's3rver@3.7.1', '--directory', directory, '--address', '127.0.0.1']
  const stop = await startServer([...argv, '--port', String(port), '--configure-bucket', 'images'], { port })
  return {
    port,
    url: (place, origin) => `s3://images/${place}?endpoint=${origin}&conditional=no`,
    env: { AWS_ACCESS_KEY_ID: 'S3RVER', AWS_SECRET_ACCESS_KEY: 'S3RVER' },
    stop,
  }
}
