// docker-registry on a folder of this machine.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort, startServer } from './server.ts'

export interface Registry {
  readonly port: number
  /** Configuration, for its other commands. */
  readonly config: string
  /** Where it keeps what was pushed. */
  readonly blobs: string
  readonly stop: () => Promise<void>
}

export async function startRegistry(folder: string): Promise<Registry> {
  const port = await freePort()
  const [config, root] = [join(folder, 'registry.yml'), join(folder, 'registry')]
  const blobs = join(root, 'docker/registry/v2/blobs')
  mkdirSync(blobs, { recursive: true })
  writeFileSync(
    config,
    `version: 0.1
log: { level: error }
storage: { filesystem: { rootdirectory: ${root} }, delete: { enabled: true } }
http: { addr: "127.0.0.1:${port}" }
`,
  )
  return { port, config, blobs, stop: await startServer(['docker-registry', 'serve', config], { port }) }
}
