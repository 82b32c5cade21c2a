// The recording reverse proxy: apt's only mirror while something is built. It serves the locked state and nothing else,
// from the cache where it can, so that every layer sees one state and the second build downloads nothing.

import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { AptAccess } from '../../tasks/backends/backend.ts'
import type { RunContext } from '../../tasks/context.ts'
import { ImgError } from '../../tasks/errors.ts'
import type { AptInput } from '../../tasks/plan/recipe.ts'
import type { Lock } from '../../tasks/run/lockfile.ts'
import { aptAccess } from './access.ts'
import type { Digested } from './content.ts'
import { openLockedFiles, type GoneFile } from './locked-files.ts'
import { readAptRequest } from './request.ts'
import { sendFile, sendRefusal } from './send.ts'
import type { Traffic } from './upstream.ts'

export interface Mirror {
  /** The input was resolved and obtained before. */
  access(input: AptInput): AptAccess
  stats(): MirrorStats
  /**
   * What was built since it began was built from these, each once: what it answered with, and the package lists of every
   * input. apt asks for none it knows to be empty, but a build begins by having them all.
   */
  served(): Promise<readonly Digested[]>
  /** Files of the locked state that the mirror behind us no longer has: after a failed build, the reason to pin anew. */
  gone(): readonly GoneFile[]
  close(): Promise<void>
}

export interface MirrorStats {
  /** To apt. */
  readonly served: Traffic
  /** From mirrors since the lock was opened, whatever for: nothing, in a second build. */
  readonly downloaded: Traffic
  /** Requests answered with an error. */
  readonly refused: number
}

/** Listens on a random port of 127.0.0.1, under a path nobody else can guess. */
export async function startMirror(lock: Lock, context: RunContext): Promise<Mirror> {
  const token = randomBytes(16).toString('hex')
  const archives = await lock.archives()
  const files = openLockedFiles(lock, archives)
  const served = { requests: 0, bytes: 0 }
  const sent = new Map<string, Digested>()
  const inputs = new Set<AptInput>()
  let refused = 0
  let warned = 0

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return sendRefusal(response, { status: 405, reason: 'only GET and HEAD' })
    }
    const located = await files.locate(readAptRequest(request.url ?? '', token))
    if (located.status !== 'found') {
      refused += 1
      const failed = located.status === 'failed'
      // apt asks for hundreds of files; a mirror that is down needs saying once or twice.
      if (failed && (warned += 1) <= 5) context.emit({ event: 'warning', text: located.reason })
      return sendRefusal(response, { status: failed ? 502 : 404, reason: located.reason })
    }
    served.requests += 1
    served.bytes += located.size
    sent.set(located.sha256, { sha256: located.sha256, size: located.size })
    await sendFile(request, response, located)
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      const reason = error instanceof ImgError ? error.message : String(error)
      if (!response.headersSent) sendRefusal(response, { status: 502, reason })
      else response.destroy()
    })
  })
  // apt keeps its connection while it unpacks; closing it under apt would look like a broken mirror.
  server.keepAliveTimeout = 10 * 60_000
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve)
  })
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/${token}`

  return {
    access(input) {
      files.expect(lock.pinsOf(input))
      inputs.add(input)
      return aptAccess(input, { lock, base, context })
    },
    async served() {
      const pins = [...inputs].flatMap((input) => lock.pinsOf(input))
      for (const sha256 of new Set(pins.flatMap(({ indexes }) => Object.values(indexes)))) {
        const size = sent.has(sha256) ? undefined : (await archives.content.read(sha256))?.length
        if (size !== undefined) sent.set(sha256, { sha256, size })
      }
      return [...sent.values()]
    },
    gone: () => files.gone(),
    stats: () => ({ served: { ...served }, downloaded: archives.traffic(), refused }),
    async close() {
      await new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
    },
  }
}
