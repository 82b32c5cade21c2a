// What a build shares with other machines. Reading goes through the remotes in order; uploads run beside the build and
// never fail it; a remote that is down is said once.

import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { performance } from 'node:perf_hooks'
import { openContent, type Wanted } from '../../cache/mirror/content.ts'
import type { LocalStore } from '../../cache/open-store.ts'
import { type EntryReader, findEntry, valueSubject } from '../../cache/remotes/find-entry.ts'
import { openRemote } from '../../cache/remotes/open-remote.ts'
import { openBudget, patientRemote } from '../../cache/remotes/patient.ts'
import { announceNewest } from '../../cache/remotes/newest-entry.ts'
import { publishValue, type Published, type Publisher } from '../../cache/remotes/publish-entry.ts'
import { publishFiles } from '../../cache/remotes/publish-files.ts'
import { checkBlob, readBlob } from '../../cache/remotes/read-blob.ts'
import { blobName, type Remote, RemoteError } from '../../cache/remotes/remote.ts'
import type { LayerRecord } from '../../cache/store.ts'
import type { RecordEntry } from '../../cache/trust/signed-entry.ts'
import type { RunContext } from '../context.ts'
import { ImgError } from '../errors.ts'
import { newestBuild, type NewestBuild } from './newest-build.ts'
import { readTrust, type Trust } from './trust.ts'
import { packagesOf, parsePackages } from './used-packages.ts'

export interface Remotes {
  /** A trusted record of the key in the first remote that has one; what is wrong with a remote is a warning. */
  find(key: string): Promise<RemoteRecord | undefined>
  /** Brings its files here and saves its record. Throws REMOTE_FAILED. */
  fetch(found: RemoteRecord): Promise<LayerRecord>
  /** A small value somebody computed before. */
  readValue(name: string): Promise<Buffer | undefined>
  /** A file known by its digest: whoever built with it sent it. */
  readFile(wanted: Wanted): Promise<Buffer | undefined>
  /** Sends in the background, with the packages it was made from; a failure is a warning. */
  share(record: LayerRecord): void
  shareValue(name: string, value: Buffer): void
  /** The newest build of a layer; `wanted` is one remote's name or URL. Throws OPTION_INVALID and REMOTE_FAILED. */
  newest(layer: string, wanted?: string): Promise<NewestBuild | undefined>
  /** Sends now, also what a remote has lost of what it was sent before. Throws REMOTE_FAILED. */
  push(record: LayerRecord): Promise<readonly Pushed[]>
  /** Waits for what is being sent. */
  settle(): Promise<void>
}

export interface RemoteRecord {
  /** Of the remote, for people. */
  readonly name: string
  readonly record: LayerRecord
  readonly signer: string
  readonly namespace: string
  readonly remote: Remote
  readonly entry: RecordEntry
}

export interface Pushed {
  readonly remote: string
  readonly namespace: string
  readonly status: 'created' | 'there'
  /** Bytes the remote had not. */
  readonly sent: number
}

/** Undefined when there is nobody to believe. */
export async function openRemotes(
  urls: readonly string[],
  store: LocalStore,
  context: RunContext,
): Promise<Remotes | undefined> {
  const trust = await readTrust(context)
  if (trust === undefined) return undefined
  const budget = openBudget()
  const told = new WeakSet<RemoteError>()
  const remotes = urls.map((url) =>
    patientRemote(openRemote(url, context.env), budget, {
      now: () => performance.now(),
      sleep: (ms, signal) => setTimeout(ms, undefined, { signal }),
      random: Math.random,
      onGivenUp: (error) => {
        told.add(error)
        context.emit({ event: 'warning', text: error.message, hint: 'the build goes on without this remote' })
      },
    }),
  )
  return makeRemotes(remotes, trust, { urls, store, context, told })
}

function makeRemotes(
  remotes: readonly Remote[],
  trust: Trust,
  {
    urls,
    store,
    context,
    told,
  }: {
    /** As configured, in the order of the remotes. */
    readonly urls: readonly string[]
    readonly store: LocalStore
    readonly context: RunContext
    /** Errors people were shown already. */
    readonly told: WeakSet<RemoteError>
  },
): Remotes {
  const { signal, emit, now } = context
  const sending = new Set<Promise<void>>()
  let queue: Promise<unknown> = Promise.resolve()

  const readerOf = (remote: Remote): EntryReader => ({
    remote,
    keys: trust.keys,
    namespaces: trust.reads,
    now,
    onRefused: ({ name, reason }) =>
      emit({
        event: 'warning',
        text: `${remote.name} has an entry that is not to be trusted (${name}): ${reason}`,
        hint: 'the build goes on without it; somebody who may write there should look at it',
      }),
  })

  /** A remote that fails is passed over; one that is left alone has been spoken of. */
  const asking = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof RemoteError) || signal.aborted) throw error
      if (error.fault === 'denied' || error.fault === 'answer')
        emit({ event: 'warning', text: error.message, hint: 'the build goes on without it' })
      return undefined
    }
  }

  const publisherOf = (remote: Remote): Publisher | undefined =>
    trust.writes && { remote, ...trust.writes, project: trust.keys.project, signal }

  const sendAll = async (record: LayerRecord, to: Publisher): Promise<Published> => {
    const published = await store.publish(record, to)
    const name = packagesOf(record.key)
    const files = parsePackages(await store.readValue(name))
    const content = files.length === 0 ? undefined : openContent(join(context.cacheDir, 'mirror'))
    const read = async (digest: string): Promise<Buffer | undefined> => content?.read(digest)
    const { sent } = await publishFiles({ name, files, read }, to)
    await announceNewest(record, to, readerOf(to.remote))
    return { ...published, sent: published.sent + sent }
  }

  const inBackground = (what: string, send: (to: Publisher) => Promise<unknown>): void => {
    for (const remote of remotes) {
      const to = publisherOf(remote)
      if (to === undefined) continue
      const sent = queue
        .then(() => send(to))
        .then(
          () => undefined,
          (error: unknown) => {
            if (signal.aborted) return
            const reason = error instanceof Error ? error.message : String(error)
            const isKnown = error instanceof RemoteError && (told.has(error) || error.fault === 'closed')
            if (!isKnown)
              emit({ event: 'warning', text: `${what} was not sent to ${remote.name}: ${reason}` })
          },
        )
      queue = sent
      sending.add(sent)
      void sent.finally(() => sending.delete(sent))
    }
  }

  return {
    async find(key) {
      for (const remote of remotes) {
        const found = await asking(() => findEntry(readerOf(remote), key, signal))
        if (found?.content.kind !== 'record') continue
        const { record } = found.content
        const { signer, namespace } = found
        return { name: remote.name, record, signer, namespace, remote, entry: found.content }
      }
      return undefined
    },

    async fetch({ remote, entry, name }) {
      const { layer } = entry.record
      try {
        let before = 0
        const artifact = await store.receive({
          remote,
          entry,
          signal,
          onProgress: (bytes) => {
            if (bytes - before < progressStep) return
            before = bytes
            emit({ event: 'progress', layer, bytes })
          },
        })
        const record = { ...entry.record, artifact }
        if (entry.log !== undefined) {
          const log = await asking(() => readBlob(remote, entry.log!, { signal, limit: logMax }))
          if (log !== undefined) await store.writeValue(record.log, log)
        }
        await store.save(record)
        return record
      } catch (error) {
        if (!(error instanceof RemoteError)) throw error
        throw failed(`cannot fetch ${layer} from ${name}: ${error.message}`, layer, error)
      }
    },

    async readValue(name) {
      for (const remote of remotes) {
        const value = await asking(async () => {
          const found = await findEntry(readerOf(remote), valueSubject(name), signal)
          if (found?.content.kind !== 'value') return undefined
          return readBlob(remote, found.content.blob, { signal, limit: valueMax })
        })
        if (value !== undefined) return value
      }
      return undefined
    },

    async readFile({ sha256, size }) {
      for (const remote of remotes) {
        const bytes = await asking(async () => {
          const found = await remote.read(blobName(sha256), { signal, limit: size ?? fileMax })
          if (found !== undefined) checkBlob(remote, sha256, found)
          return found
        })
        if (bytes !== undefined) return bytes
      }
      return undefined
    },

    async newest(layer, wanted) {
      const asked = remotes.filter(
        ({ name }, place) => wanted === undefined || wanted === name || wanted === urls[place],
      )
      if (wanted !== undefined && asked.length === 0) throw unknownRemote(wanted, urls)
      return newestBuild(asked.map(readerOf), layer, context)
    },

    share: (record) => inBackground(record.layer, (to) => sendAll(record, to)),
    shareValue: (name, value) => inBackground(name, (to) => publishValue(valueSubject(name), value, to)),

    async push(record) {
      const pushed: Pushed[] = []
      for (const remote of remotes) {
        const to = publisherOf(remote)
        if (to === undefined) {
          throw new ImgError('REMOTE_FAILED', `there is no key to write to ${remote.name} with`, {
            layer: record.layer,
            hint: 'make one with `img keys create`, have it added to keys.json on the main branch, or set IMG_SIGNING_KEY',
          })
        }
        try {
          const { status, sent } = await sendAll(record, { ...to, mends: true })
          pushed.push({ remote: remote.name, namespace: to.namespace, status, sent })
        } catch (error) {
          if (!(error instanceof RemoteError)) throw error
          throw failed(`cannot push ${record.layer} to ${remote.name}: ${error.message}`, record.layer, error)
        }
      }
      return pushed
    },

    async settle() {
      await Promise.all(sending)
    },
  }
}

const failed = (message: string, layer: string, cause: RemoteError): ImgError =>
  new ImgError('REMOTE_FAILED', message, {
    layer,
    cause,
    hint:
      cause.fault === 'denied'
        ? 'check IMG_REMOTE_USER and IMG_REMOTE_PASSWORD, IMG_REMOTE_TOKEN or the AWS variables'
        : 'try again later, or build without it: IMG_REMOTES= img build',
  })

const unknownRemote = (wanted: string, urls: readonly string[]): ImgError =>
  new ImgError('OPTION_INVALID', `${wanted} is no remote of this project`, {
    found: wanted,
    validOptions: ['remote', ...urls],
    hint: 'write `remote` for the newest of all of them',
  })

const progressStep = 1024 * 1024
const logMax = 64 * 1024 * 1024
const valueMax = 64 * 1024 * 1024
const fileMax = 256 * 1024 * 1024
