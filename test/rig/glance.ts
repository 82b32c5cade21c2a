// Debian's glance-api with a folder of its own: files as store, sqlite, nobody logs in.

import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, startServer } from './server.ts'

export interface GlanceServer {
  readonly url: string
  readonly stop: () => Promise<void>
}

export async function startGlance(): Promise<GlanceServer> {
  const folder = mkdtempSync(join(tmpdir(), 'img-glance-'))
  const port = await freePort()
  const [config, pipeline] = [join(folder, 'glance.conf'), join(folder, 'paste.ini')]
  const stores = ['files', 'os_glance_staging_store', 'os_glance_tasks_store']
  for (const store of stores) mkdirSync(join(folder, store))
  writeFileSync(pipeline, paste)
  writeFileSync(
    config,
    `[DEFAULT]
bind_host = 127.0.0.1
bind_port = ${port}
workers = 0
enabled_backends = files:file
log_file = ${folder}/log
[database]
connection = sqlite:///${folder}/glance.sqlite
[glance_store]
default_backend = files
${stores.map((store) => `[${store}]\nfilesystem_store_datadir = ${join(folder, store)}`).join('\n')}
[paste_deploy]
config_file = ${pipeline}
[oslo_concurrency]
lock_path = ${folder}
[oslo_policy]
enforce_scope = false
`,
  )
  execFileSync('glance-manage', ['--config-file', config, 'db_sync'], { stdio: 'pipe' })
  const stop = await startServer(['glance-api', '--config-file', config], { port })
  return {
    url: `http://127.0.0.1:${port}`,
    stop: async () => {
      await stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const paste = `[pipeline:glance-api]
pipeline = versionnegotiation unauthenticated-context rootapp
[composite:rootapp]
paste.composite_factory = glance.api:root_app_factory
/: apiversions
/v2: apiv2app
[app:apiversions]
paste.app_factory = glance.api.versions:create_resource
[app:apiv2app]
paste.app_factory = glance.api.v2.router:API.factory
[filter:versionnegotiation]
paste.filter_factory = glance.api.middleware.version_negotiation:VersionNegotiationFilter.factory
[filter:unauthenticated-context]
paste.filter_factory = glance.api.middleware.context:UnauthenticatedContextMiddleware.factory
`
