// What a client that has one layer asks and gets to have another: requests and bytes, by receiving both from a folder.
// Usage: jiti bench/store/update.ts FOLDER CACHE HAS WANTS, the names of two layers in a cache.

import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { pathToFileURL } from 'node:url'
import { openStore } from '../../cache/open-store.ts'
import { entryName } from '../../cache/remotes/find-entry.ts'
import { openRemote } from '../../cache/remotes/open-remote.ts'
import type { Remote } from '../../cache/remotes/remote.ts'
import { readPublicKey, renderPublicKey } from '../../cache/trust/dsse.ts'
import { openEntry } from '../../cache/trust/signed-entry.ts'

async function main(folder: string, [cache = '', ...layers]: readonly string[]): Promise<void> {
  const { signal } = new AbortController()
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const text = renderPublicKey(publicKey)
  const { id } = readPublicKey(text)!
  const signer = {
    ...readPublicKey(text)!,
    name: 'bench',
    public: text,
    namespaces: ['main'],
    notAfter: undefined,
    revoked: false,
  }
  const remote = openRemote(pathToFileURL(join(folder, 'remote')).href, {})
  const from = await openStore({ dir: cache, now: Date.now })
  const to = await openStore({ dir: join(folder, 'client'), now: Date.now })
  const place = { project: 'bench', namespace: 'main' }
  for (const layer of layers) {
    const record = (await from.latest(layer))!
    await from.publish(record, { remote, key: { id, key: privateKey }, ...place, signal })
    const asked = { requests: 0, bytes: 0 }
    const counting: Remote = {
      ...remote,
      read: async (name, options) => {
        const bytes = await remote.read(name, options)
        asked.requests += 1
        asked.bytes += bytes?.length ?? 0
        return bytes
      },
    }
    const began = performance.now()
    const bytes = await counting.read(entryName('main', record.key, id), { signal, limit: 2 ** 22 })
    const entry = openEntry(bytes!, { ...place, subject: record.key }, { signer, now: Date.now() })
    if (typeof entry === 'string' || entry.kind !== 'record')
      throw new Error(`${layer} has no entry that counts`)
    const artifact = await to.receive({ remote: counting, entry, signal, onProgress: () => undefined })
    await to.save({ ...record, artifact })
    const seconds = ((performance.now() - began) / 1000).toFixed(1)
    console.log(
      `${layer}: ${asked.requests} requests, ${(asked.bytes / 2 ** 20).toFixed(1)} MiB, ${seconds} s`,
    )
  }
  await from.close()
  await to.close()
}

const [at = '', ...rest] = process.argv.slice(2)
const folder = await mkdtemp(join(at, 'img-bench-'))
try {
  await main(folder, rest)
} finally {
  await rm(folder, { recursive: true, force: true })
}
