// An artifact out of a remote into the store: only the chunks that are not here, in few large pieces. A pack of which
// most is missing comes whole and stays the pack it is; it counts at once, so that an interrupted transfer goes on there.

import type { ChunkIndex } from '../chunk-index.ts'
import { putContent } from '../content.ts'
import { keepFooters, packProblem } from '../footers.ts'
import { type MapEntry, type MapRoot, parseRoot } from '../map-format.ts'
import { readMapEntries } from '../read-map.ts'
import { openPackWriter } from '../pack-writer.ts'
import { packsOf } from '../put-files.ts'
import type { StoreDir } from '../store-dir.ts'
import type { Artifact, ArtifactFile } from '../store.ts'
import type { RecordEntry } from '../trust/signed-entry.ts'
import type { Zstd } from '../zstd.ts'
import { openChunkReader } from '../chunk-reader.ts'
import { fetchChunks } from './fetch-chunks.ts'
import { readBlob } from './read-blob.ts'
import type { Remote } from './remote.ts'

export interface ReceiveOptions {
  readonly remote: Remote
  readonly entry: RecordEntry
  readonly signal: AbortSignal
  /** Bytes that came so far. */
  readonly onProgress: (bytes: number) => void
}

/** The record's artifact with the packs it has here; durable when it returns. Throws RemoteError, MapError. */
export async function receiveArtifact(
  at: StoreDir,
  to: { readonly index: ChunkIndex; readonly zstd: Zstd },
  from: ReceiveOptions,
): Promise<Artifact> {
  const { remote, entry, signal } = from
  await to.index.refresh()
  const files = Object.entries(entry.record.artifact)
  const roots = await Promise.all(
    files.map(async ([, file]) => {
      const bytes = await readBlob(remote, file.mapDigest, { signal, limit: rootMax })
      return { file, bytes, root: checkedRoot(parseRoot(bytes), file) }
    }),
  )
  const { onProgress } = from
  const packs = {
    remote,
    packs: elsewhere(at, entry.packs),
    footers: new Map(),
    bytes: 0,
    signal,
    onProgress,
  }
  const added = async (digests: Iterable<Buffer>, expects: 'more' | 'nothing more'): Promise<number> => {
    const writer = openPackWriter(at, to.index, to.zstd)
    try {
      const before = packs.bytes
      const { index, zstd } = to
      await fetchChunks(digests, { packs, index, zstd, writer, keepPack: keepPack(at, index) }, expects)
      await writer.flush()
      await writer.keep()
      return packs.bytes - before
    } catch (cause) {
      await writer.drop()
      throw cause
    }
  }
  const lists = roots.flatMap(({ root }) => ownChunks(root).map(({ digest }) => digest))
  const before = await added(lists, 'more')
  const artifact: Record<string, ArtifactFile> = {}
  for (const [place, [name, file]] of files.entries()) {
    const { root, bytes } = roots[place]!
    const entries = await readEntries(at, to, root)
    const chunks = entries.map(({ digest }) => digest)
    const addedBytes = (place === 0 ? before : 0) + (await added(chunks, 'nothing more'))
    await putContent(at.dir, `map:${file.mapDigest}`, { data: bytes, digest: file.mapDigest })
    artifact[name] = { ...file, packs: packsOf(to.index, [...entries, ...ownChunks(root)]), addedBytes }
  }
  return artifact
}

/** What a map is made of beside its root: without cells it restores, but a child could not inherit from it. */
const ownChunks = ({ leaves, places, cells }: MapRoot): readonly { readonly digest: Buffer }[] => [
  ...leaves,
  ...[...places, ...cells].map((digest) => ({ digest })),
]

function checkedRoot(root: MapRoot, file: ArtifactFile): MapRoot {
  if (root.size !== file.size) throw new Error(`a map of ${root.size} bytes for a file of ${file.size}`)
  return root
}

/** What is in a pack that is here is not missing. */
function elsewhere(at: StoreDir, packs: RecordEntry['packs']): RecordEntry['packs'] {
  return Object.fromEntries(Object.entries(packs).filter(([id]) => packProblem(at, id) !== undefined))
}

const keepPack =
  (at: StoreDir, index: ChunkIndex) =>
  async (id: string, bytes: Buffer, footer: Buffer): Promise<void> => {
    await putContent(at.dir, `pack:${id}`, { data: bytes, digest: id })
    await keepFooters(at, new Map([[id, footer]]))
    await index.refresh()
  }

async function readEntries(
  at: StoreDir,
  { index, zstd }: { readonly index: ChunkIndex; readonly zstd: Zstd },
  root: MapRoot,
): Promise<readonly MapEntry[]> {
  const reader = openChunkReader(at, { index, zstd, onDamage: 'quarantine' })
  try {
    return await readMapEntries(reader, root)
  } finally {
    reader.close()
  }
}

const rootMax = 16 * 1024 * 1024
