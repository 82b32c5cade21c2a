// The files of a folder by HTTP, on the loopback interface: what a machine without a disk boots from.

import { createReadStream, statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'

export interface FileServer {
  readonly port: number
  /** Names of the files that were asked for, in order. */
  readonly asked: readonly string[]
  close(): Promise<void>
}

export async function serveFiles(folder: string, port = 0): Promise<FileServer> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    // From the root there is no way up. Names with escapes are none of ours.
    const name = path.posix.normalize(request.url ?? '/').slice(1)
    asked.push(name)
    const file = path.join(folder, name)
    const found = statSync(file, { throwIfNoEntry: false })
    if (found?.isFile() !== true) {
      response.writeHead(404).end()
      return
    }
    response.writeHead(200, { 'content-length': found.size, 'content-type': 'application/octet-stream' })
    if (request.method === 'HEAD') response.end()
    else
      createReadStream(file)
        .on('error', () => response.destroy())
        .pipe(response)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
