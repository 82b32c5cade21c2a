// The store of this machine. Opening it and looking things up loads and locks nothing; the first call that writes,
// restores or locks enters it: a shared lock until `close`, after clearing up if nobody else is in.

import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { ImgError } from '../tasks/errors.ts'
import type { CollectOptions, Collection } from './collect.ts'
import type { EnterOptions, Inside } from './enter-store.ts'
import { contentPath, readEntry } from './entries.ts'
import { sameStamp, stampOf, type FileStamp } from './file-stamp.ts'
import { findLatest, findRecord, latestKey } from './find-record.ts'
import type { LayerUsage } from './layer-usage.ts'
import type { KeyLockOptions } from './locks.ts'
import { makeFolder } from './make-folder.ts'
import type { Pin } from './pins.ts'
import type { Overlay } from './put-files.ts'
import type { Published, Publisher } from './remotes/publish-entry.ts'
import type { ReceiveOptions } from './remotes/receive-artifact.ts'
import type { Repair } from './repair-store.ts'
import { openStoreDir, type StoreDir } from './store-dir.ts'
import { errnoOf, toStoreError } from './store-error.ts'
import type { StoreStats } from './store-stats.ts'
import type { Artifact, ArtifactFile, LayerRecord, Store } from './store.ts'
import { readValue, writeValue } from './values.ts'
import type { StoreProblem, VerifyOptions } from './verify-store.ts'

export interface LocalStore extends Store {
  readonly dir: string
  /** As the store's `put`; a disk may also be an overlay on its parent, and then only the overlay is read. */
  put(files: Readonly<Record<string, string | Overlay>>): Promise<Artifact>
  /** As `latest`, of all projects that share the store. */
  latestOfAll(layer: string): Promise<LayerRecord | undefined>
  /** The record is the project's newest when it has none of the layer; does nothing else. */
  claim(record: LayerRecord): Promise<void>
  /** A read-only copy of the file on this machine, made once; stays until `close`. */
  materialise(file: ArtifactFile): Promise<string>
  /**
   * The files of a materialised disk for an overlay to stand on, nearest first: overlays with their backing files, then
   * a plain file. They stay until `close`. With a parent whose disk is here, only what differs from it is written.
   */
  materialiseBase(file: ArtifactFile, parent?: ArtifactFile): Promise<readonly string[]>
  /** Takes over what the file was just `put` from instead of writing it again when it is next asked for. */
  adopt(from: string | Overlay, file: ArtifactFile): Promise<void>
  /** While `fn` runs, no other process of this user runs under the same key; whoever waits gets the lock if we die. */
  withKeyLock<T>(key: string, options: KeyLockOptions, fn: () => Promise<T>): Promise<T>
  /** Bytes of those packs, by id, that are not here. */
  missingBytes(packs: Readonly<Record<string, { readonly size: number }>>): Promise<number>
  /** Brings the artifact of a record of a remote here, reading only what is missing; `save` comes after. */
  receive(from: ReceiveOptions): Promise<Artifact>
  /** Sends a record and all it needs to a remote. */
  publish(record: LayerRecord, to: Publisher): Promise<Published>
  verify(options: VerifyOptions): Promise<readonly StoreProblem[]>
  /** Heals what can be healed and puts the rest aside; nothing `verify` finds is left but lines of the index. */
  repair(): Promise<readonly Repair[]>
  stats(): Promise<StoreStats>
  /** The newest build of each layer, by name. */
  usage(): Promise<readonly LayerUsage[]>
  /** Removes what no kept record needs. */
  collect(options: CollectOptions): Promise<Collection>
  /** Builds that no collection removes. */
  pins(): Promise<readonly Pin[]>
  pin(pin: Pin): Promise<void>
  unpin(key: string): Promise<void>
  /** Records whose keys begin with this. */
  recordsBy(keyStart: string): Promise<readonly LayerRecord[]>
  close(): Promise<void>
}

export interface StoreOptions extends EnterOptions {
  readonly dir: string
  /** Whose newest builds are asked for and noted; absent: those of all. */
  readonly project?: string
}

export async function openStore(options: StoreOptions): Promise<LocalStore> {
  const at = openStoreDir(options.dir)
  const { dir } = at
  let entered: Promise<Inside> | undefined
  /** One put at a time: the second then finds the first one's chunks, and one uses every core. */
  let putting: Promise<unknown> = Promise.resolve()
  /** Files as they were put, by disk digest: only such a file can be adopted. */
  const stamps = new Map<string, FileStamp>()

  const inside = (): Promise<Inside> => {
    entered ??= import('./enter-store.ts')
      .then(({ enterStore }) => enterStore(at, options))
      .catch((cause: unknown) => {
        // What was refused once may be possible later: a full disk was cleared.
        entered = undefined
        throw cause
      })
    return entered
  }
  const guarded = async <T>(doing: string, fn: (inside: Inside) => Promise<T>): Promise<T> => {
    try {
      return await fn(await inside())
    } catch (cause) {
      // What a remote does wrong is no fault of the store.
      if (cause instanceof Error && foreign.has(cause.name)) throw cause
      throw toStoreError(cause, doing, dir)
    }
  }

  const store: LocalStore = {
    dir,
    find: async (key) => findRecord(at, key),
    latest: async (layer) => findLatest(at, layer, options.project),
    latestOfAll: async (layer) => findLatest(at, layer),
    readValue: async (key) => readValue(dir, key),
    writeValue: (key, value) => guarded(`remembering ${key}`, () => writeValue(dir, key, value)),

    put(files) {
      const run = async (all: Inside): Promise<Artifact> => {
        const [{ putFiles, toPutInputs }, { whileWriting }] = await Promise.all([
          import('./put-files.ts'),
          import('./enter-store.ts'),
        ])
        const inputs = await toPutInputs(all.disks, files)
        return all.unsaved.putting(async () => {
          const put = await whileWriting(at, () => putFiles(at, all, inputs))
          for (const [name, file] of Object.entries(put.artifact))
            stamps.set(file.diskDigest, put.stamps[name]!)
          return put.artifact
        })
      }
      const doing = `storing ${Object.keys(files).join(', ')}`
      const result = putting.then(() => guarded(doing, run))
      putting = result.catch(() => undefined)
      return result
    },

    save: (record) =>
      guarded(`saving the record of ${record.layer}`, async ({ unsaved }) => {
        const { saveRecord } = await import('./save-record.ts')
        await unsaved.saving(record.artifact, () => saveRecord(at, record, options.project))
      }),

    async claim(record) {
      const { project } = options
      if (project === undefined || readEntry(dir, latestKey(record.layer, project)) !== undefined) return
      await guarded(`noting ${record.layer}`, async () => {
        await (await import('./save-record.ts')).claimRecord(at, record, project)
      })
    },

    restore: (file, to) =>
      guarded(`restoring ${to}`, (all) => restoreFrom(at, all, { file, to, durable: true })),

    materialise: (file) =>
      guarded('restoring a disk', async ({ disks, ...all }) => {
        const chain = await disks.chain(file.diskDigest)
        return disks.materialise(file, async (to) => {
          const isMade =
            chain !== undefined &&
            chain.length > 1 &&
            (await (await import('./flatten-disk.ts')).flattenDisk(chain, to))
          if (!isMade) await restoreFrom(at, all, { file, to, durable: false })
        })
      }),

    materialiseBase: (file, parent) =>
      guarded('restoring a disk', async (all) => {
        const found = await all.disks.chain(file.diskDigest)
        if (found !== undefined) return found
        const { overlayOnParent } = await import('./overlay-on-parent.ts')
        const made = parent && (await overlayOnParent(at, all, { file, parent }))
        return made ?? [await store.materialise(file)]
      }),

    adopt: (from, file) =>
      guarded('keeping a disk', async ({ disks }) => {
        const [path, below] =
          typeof from === 'string' ? [from] : ([from.overlay, from.parent.diskDigest] as const)
        const put = stamps.get(file.diskDigest)
        if (put !== undefined && sameStamp(put, await stampOf(path))) await disks.adopt(path, file, below)
      }),

    withKeyLock: async (key, lock, fn) => {
      await guarded('locking', async () => undefined)
      const { withKeyLock } = await import('./locks.ts')
      return withKeyLock({ folder: at.locks, key }, lock, fn)
    },

    async missingBytes(packs) {
      const { packProblem } = await import('./footers.ts')
      const missing = Object.entries(packs).filter(([id]) => packProblem(at, id) !== undefined)
      return missing.reduce((sum, [, { size }]) => sum + size, 0)
    },
    receive(from) {
      const run = async ({ index, zstd, unsaved }: Inside): Promise<Artifact> => {
        const [{ receiveArtifact }, { whileWriting }] = await Promise.all([
          import('./remotes/receive-artifact.ts'),
          import('./enter-store.ts'),
        ])
        return unsaved.putting(() => whileWriting(at, () => receiveArtifact(at, { index, zstd }, from)))
      }
      const result = putting.then(() => guarded(`fetching ${from.entry.record.layer}`, run))
      putting = result.catch(() => undefined)
      return result
    },

    publish: (record, to) =>
      guarded(`publishing ${record.layer}`, async () => {
        const { publishRecord } = await import('./remotes/publish-entry.ts')
        return publishRecord(at, { record, log: readValue(dir, record.log) }, to)
      }),

    verify: (verifyOptions) =>
      guarded('verifying the cache', async ({ zstd }) => {
        const { verifyStore } = await import('./verify-store.ts')
        return verifyStore(at, zstd, verifyOptions)
      }),

    repair: () =>
      guarded('repairing the cache', async (all) => {
        const { repairStore } = await import('./repair-store.ts')
        return repairStore(at, all, options.now())
      }),

    stats: () =>
      guarded('counting', async ({ disks }) => {
        const { countStore } = await import('./store-stats.ts')
        return countStore(at, await disks.usage())
      }),

    usage: () =>
      guarded('counting', async (all) => {
        const { measureLayers } = await import('./layer-usage.ts')
        return measureLayers(at, all)
      }),

    collect: (collectOptions) =>
      guarded('collecting garbage', async ({ lease }) => {
        const { collect } = await import('./collect.ts')
        return collect(at, lease, collectOptions)
      }),

    pins: async () => (await import('./pins.ts')).listPins(dir),
    pin: (pin) => guarded(`pinning ${pin.layer}`, async () => (await import('./pins.ts')).addPin(dir, pin)),
    unpin: (key) =>
      guarded('unpinning', async () => void (await (await import('./pins.ts')).removePin(dir, key))),
    recordsBy: async (keyStart) => (await import('./collect.ts')).findRecordsBy(at, keyStart),

    async close() {
      const all = await entered?.catch(() => undefined)
      entered = undefined
      await all?.leave()
    },
  }
  return store
}

const foreign: ReadonlySet<string> = new Set(['RemoteError', 'AbortError'])

async function restoreFrom(
  at: StoreDir,
  { index, zstd }: Pick<Inside, 'index' | 'zstd'>,
  { file, to, durable }: { readonly file: ArtifactFile; readonly to: string; readonly durable: boolean },
): Promise<void> {
  const [{ ChunkLost }, { openChunkReader }, { MapError }, { restoreFile }] = await Promise.all([
    import('./chunk-lost.ts'),
    import('./chunk-reader.ts'),
    import('./map-format.ts'),
    import('./restore-file.ts'),
  ])
  await index.refresh()
  const reader = openChunkReader(at, { index, zstd, onDamage: 'quarantine' })
  try {
    await restoreFile(file, to, { dir: at.dir, reader, durable })
  } catch (cause) {
    if (!(cause instanceof ChunkLost) && !(cause instanceof MapError)) throw cause
    // Without its map no record of this file is a hit, so the damage is met once and then built anew.
    await quarantineMap(at, file.mapDigest)
    const what = cause instanceof MapError ? `the map ${file.mapDigest} ${cause.message}` : cause.message
    throw new ImgError('CACHE_DAMAGED', `cannot restore ${to}: ${what}`, {
      path: at.dir,
      hint: 'run the command again: what is damaged was put aside and is built anew',
      cause,
    })
  } finally {
    reader.close()
  }
}

async function quarantineMap(at: StoreDir, mapDigest: string): Promise<void> {
  makeFolder(at.quarantine)
  await rename(contentPath(at.dir, mapDigest), join(at.quarantine, mapDigest)).catch((cause: unknown) => {
    if (errnoOf(cause) !== 'ENOENT') throw cause
  })
}
