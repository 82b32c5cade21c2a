// An OCI layout into a repository of a registry: blobs it has not, then the manifest under each tag. A killed push
// leaves blobs nothing names, and the next finds them there.

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { OciRegistry } from '../remotes/oci-registry.ts'
import type { TargetFiles } from './target-files.ts'

export interface PushImage {
  readonly files: TargetFiles
  /** Of the layer. */
  readonly key: string
  /** Beside those of revision and key. */
  readonly tags: readonly string[]
  /** Repositories of this registry by the digest of a blob they have; what is pushed is added. */
  readonly places: Map<string, string>
}

export interface PushedImage {
  readonly status: 'new' | 'changed' | 'tagged' | 'unchanged'
  /** Of the manifest: `sha256:…`. */
  readonly digest: string
  /** Grows with every other image that is pushed. */
  readonly revision: number
  readonly tags: readonly string[]
  /** Bytes of blobs that were uploaded, and of those that were there. */
  readonly sent: number
  readonly there: number
}

/** Throws RemoteError. */
export async function pushImage(
  { files, key, tags, places }: PushImage,
  registry: OciRegistry,
  signal: AbortSignal,
): Promise<PushedImage> {
  const { manifest, blobs } = await readLayout(files)
  const holds = async (tag: string): Promise<boolean> =>
    (await registry.readManifest(tag, signal))?.equals(manifest) ?? false
  const latest = latestRevision(await registry.tags(signal))
  const isLatest = latest > 0 && (await holds(`r${latest}`))
  const revision = isLatest ? latest : latest + 1
  const wanted = [...new Set([keyTag(key), `r${revision}`, ...tags])]
  const missing: string[] = []
  for (const tag of wanted) if (!(await holds(tag))) missing.push(tag)
  let [sent, there] = [0, 0]
  for (const { digest, size } of blobs) {
    const from = places.get(digest)
    places.set(digest, registry.repository)
    const isThere =
      (await registry.sizeOf(digest, signal)) !== undefined ||
      (from !== undefined && from !== registry.repository && (await registry.mountBlob(digest, from, signal)))
    if (isThere) {
      there += size
      continue
    }
    await files.use(blobName(digest), async (path) => {
      const { size: length } = await stat(path)
      await registry.sendBlob(digest, { length, read: () => createReadStream(path, wide) }, signal)
    })
    sent += size
  }
  for (const tag of missing) await registry.sendManifest(tag, manifest, signal)
  return {
    status: isLatest ? (missing.length === 0 ? 'unchanged' : 'tagged') : latest === 0 ? 'new' : 'changed',
    digest: `sha256:${createHash('sha256').update(manifest).digest('hex')}`,
    revision,
    tags: wanted,
    sent,
    there,
  }
}

/** Tags only a push itself gives: `r7`, `key-0123456789ab`. */
export const isOwnTag = (tag: string): boolean => /^(?:r\d+|key-[0-9a-f]{12})$/.test(tag)

const keyTag = (key: string): string => `key-${key.slice(0, 12)}`

const latestRevision = (tags: readonly string[]): number =>
  Math.max(0, ...tags.flatMap((tag) => (/^r\d{1,9}$/.test(tag) ? [Number(tag.slice(1))] : [])))

interface Blob {
  readonly digest: string
  readonly size: number
}

/** The one image of the layout; the configuration is the last of the blobs. */
async function readLayout(
  files: TargetFiles,
): Promise<{ readonly manifest: Buffer; readonly blobs: readonly Blob[] }> {
  const { manifests } = JSON.parse((await files.read('index.json')).toString()) as {
    readonly manifests: readonly Blob[]
  }
  const manifest = await files.read(blobName(hexOf(manifests[0]!.digest)))
  const { config, layers } = JSON.parse(manifest.toString()) as {
    readonly config: Blob
    readonly layers: readonly Blob[]
  }
  const blobs = new Map([...layers, config].map(({ digest, size }) => [hexOf(digest), size]))
  return { manifest, blobs: [...blobs].map(([digest, size]) => ({ digest, size })) }
}

const hexOf = (digest: string): string => digest.replace(/^sha256:/, '')

const blobName = (digest: string): string => `blobs/sha256/${digest}`

const wide = { highWaterMark: 1024 * 1024 }
