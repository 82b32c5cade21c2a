// Records from one store through a remote into another.

import { createHash, randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { openStore, type LocalStore } from '../../../cache/open-store.ts'
import { directoryRemote } from '../../../cache/remotes/directory.ts'
import { type EntryReader, findEntry, type Refusal } from '../../../cache/remotes/find-entry.ts'
import { httpRequest } from '../../../cache/remotes/http-request.ts'
import { httpRemote } from '../../../cache/remotes/http.ts'
import type { Remote } from '../../../cache/remotes/remote.ts'
import type { LayerRecord } from '../../../cache/store.ts'
import type { RecordEntry } from '../../../cache/trust/signed-entry.ts'
import { canonicalJson } from '../../../tasks/plan/canonical.ts'
import { signal } from '../../contract/remote.ts'
import { exampleRecord } from '../../rig/example-record.ts'
import { startObjectServer } from '../../rig/object-server.ts'
import { signingKey } from '../../rig/entry-keys.ts'

// Tens of MiB are written, synced and hashed.
vi.setConfig({ testTimeout: 60_000 })

const ci = signingKey('ci', ['main'])
const keys = { project: 'project-1', keys: [ci.trusted] }
const MiB = 1024 * 1024

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'img-transfer-'))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return path
}

async function store(): Promise<LocalStore> {
  const opened = await openStore({ dir: join(await folder(), 'cache'), now: () => 0 })
  onTestFinished(() => opened.close())
  return opened
}

/** Saves a disk as a layer's record. */
async function build(to: LocalStore, layer: string, data: Buffer): Promise<LayerRecord> {
  const file = join(await folder(), 'disk')
  await writeFile(file, data)
  const keyRecord = { layer }
  const key = createHash('sha256').update(canonicalJson(keyRecord)).digest('hex')
  await to.writeValue('log:1', 'the log\n')
  const artifact = await to.put({ 'disk.raw': file })
  const record = exampleRecord({ key, keyRecord, layer, artifact, log: 'log:1' })
  await to.save(record)
  return record
}

const publish = (
  from: LocalStore,
  record: LayerRecord,
  remote: Remote,
): Promise<{ status: string; sent: number }> =>
  from.publish(record, { remote, key: ci.own, project: keys.project, namespace: 'main', signal })

const reader = (remote: Remote, refusals: Refusal[] = []): EntryReader => ({
  remote,
  keys,
  namespaces: ['main'],
  now: () => 0,
  onRefused: (refusal) => refusals.push(refusal),
})

async function pull(to: LocalStore, key: string, remote: Remote): Promise<LayerRecord> {
  const found = await findEntry(reader(remote), key, signal)
  const entry = found?.content as RecordEntry
  const artifact = await to.receive({ remote, entry, signal, onProgress: () => undefined })
  const record = { ...entry.record, artifact }
  await to.save(record)
  return record
}

async function restored(from: LocalStore, record: LayerRecord): Promise<Buffer> {
  const file = join(await folder(), 'restored')
  await from.restore(record.artifact['disk.raw']!, file)
  return readFileSync(file)
}

const blocks = (...parts: readonly (Buffer | number)[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'number' ? Buffer.alloc(part) : part)))

test('a layer goes through a folder into an empty store, whole', async () => {
  const [one, two, shared] = [await store(), await store(), await folder()]
  const data = blocks(randomBytes(3 * MiB), MiB, Buffer.from('some text '.repeat(50_000)))
  const record = await build(one, 'base:a', data)
  expect(await publish(one, record, directoryRemote(shared))).toMatchObject({ status: 'created' })
  expect(await publish(one, record, directoryRemote(shared))).toEqual({ status: 'there', sent: 0 })
  const pulled = await pull(two, record.key, directoryRemote(shared))
  expect((await restored(two, pulled)).equals(data)).toBe(true)
  expect(await two.find(record.key)).toMatchObject({ hit: true })
  expect(await two.verify({ readData: true })).toEqual([])
})

test('who has the parent gets the difference, in few requests', async () => {
  const [one, two] = [await store(), await store()]
  const server = await startObjectServer()
  const remote = httpRemote(server.url, { ask: httpRequest, conditional: true })
  const data = randomBytes(24 * MiB)
  const base = await build(one, 'base:a', data)
  await publish(one, base, remote)
  await pull(two, base.key, remote)
  const own = blocks(data.subarray(0, 5 * MiB), randomBytes(MiB), data.subarray(6 * MiB), randomBytes(MiB))
  const role = await build(one, 'role:a', own)
  const sent = await publish(one, role, remote)
  expect(sent.sent).toBeLessThan(2.6 * MiB)
  const found = await findEntry(reader(remote), role.key, signal)
  const { packs } = found!.content as RecordEntry
  const missing = await two.missingBytes(packs)
  expect(missing).toBeGreaterThan(2 * MiB)
  expect(missing).toBeLessThan(2.6 * MiB)
  server.requests.length = 0
  const pulled = await pull(two, role.key, remote)
  expect(await two.missingBytes(packs)).toBe(0)
  // The entry, the map, one footer, one pack.
  expect(server.requests).toHaveLength(4)
  expect((await restored(two, pulled)).equals(own)).toBe(true)
})

test('of a pack with little that is missing come only its pieces', async () => {
  const [one, two] = [await store(), await store()]
  const server = await startObjectServer()
  const remote = httpRemote(server.url, { ask: httpRequest, conditional: true })
  const data = randomBytes(24 * MiB)
  const record = await build(one, 'base:a', data)
  await publish(one, record, remote)
  // The other one has most of it from a build of its own, in packs of its own.
  await build(two, 'base:own', blocks(data.subarray(0, 20 * MiB)))
  let received = 0
  const found = await findEntry(reader(remote), record.key, signal)
  const entry = found?.content as RecordEntry
  const artifact = await two.receive({ remote, entry, signal, onProgress: (bytes) => (received = bytes) })
  expect(received).toBeLessThan(6 * MiB)
  expect((await restored(two, { ...record, artifact })).equals(data)).toBe(true)
})

test('an interrupted transfer goes on with what came', async () => {
  const [one, two] = [await store(), await store()]
  const server = await startObjectServer()
  const remote = httpRemote(server.url, { ask: httpRequest, conditional: true })
  const data = randomBytes(70 * MiB)
  const record = await build(one, 'base:a', data)
  await publish(one, record, remote)
  const found = await findEntry(reader(remote), record.key, signal)
  const entry = found?.content as RecordEntry
  const controller = new AbortController()
  const broken = two.receive({
    remote,
    entry,
    signal: controller.signal,
    onProgress: (bytes) => {
      if (bytes > 45 * MiB) controller.abort()
    },
  })
  await expect(broken).rejects.toThrow('aborted')
  let received = 0
  const artifact = await two.receive({ remote, entry, signal, onProgress: (bytes) => (received = bytes) })
  expect(received).toBeLessThan(42 * MiB)
  expect((await restored(two, { ...record, artifact })).equals(data)).toBe(true)
})

test.each<[string, (path: string, file: Buffer) => Promise<void> | void]>([
  ['with one bit changed', (path, file) => ((file[file.length >> 1]! ^= 1), writeFileSync(path, file))],
  ['cut short', (path, file) => truncate(path, file.length - 100)],
  ['empty', (path) => writeFileSync(path, '')],
  ['of zeros', (path, file) => writeFileSync(path, Buffer.alloc(file.length))],
])('a remote whose blobs are %s gives nothing wrong, and nothing of it stays', async (_, damage) => {
  const [one, shared] = [await store(), await folder()]
  const record = await build(one, 'base:a', blocks(randomBytes(2 * MiB), Buffer.from('text '.repeat(9000))))
  await publish(one, record, directoryRemote(shared))
  const blobs = readdirSync(join(shared, 'blobs'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
  // Footer, map, pack, log: the log is not fetched with the rest.
  expect(blobs).toHaveLength(4)
  for (const path of blobs) {
    const whole = readFileSync(path)
    await damage(path, Buffer.from(whole))
    const two = await store()
    const outcome = await pull(two, record.key, directoryRemote(shared)).then(
      async (pulled) => restored(two, pulled),
      (error: unknown) => error,
    )
    const wanted = whole.toString() === 'the log\n' ? {} : { name: 'RemoteError', fault: 'answer' }
    expect(outcome).toMatchObject(wanted)
    expect(await two.verify({ readData: true })).toEqual([])
    writeFileSync(path, whole)
  }
})

test('a blob that is not there is an answer that makes no sense', async () => {
  const [one, two, shared] = [await store(), await store(), await folder()]
  const record = await build(one, 'base:a', randomBytes(MiB))
  await publish(one, record, directoryRemote(shared))
  await rm(join(shared, 'blobs'), { recursive: true })
  await mkdir(join(shared, 'blobs'))
  const { mapDigest } = record.artifact['disk.raw']!
  await expect(pull(two, record.key, directoryRemote(shared))).rejects.toMatchObject({
    fault: 'answer',
    message: `${shared} lacks the blob ${mapDigest}`,
  })
})

test('an entry that must not be there is reported and counts for nothing', async () => {
  const [one, shared] = [await store(), await folder()]
  const remote = directoryRemote(shared)
  const record = await build(one, 'base:a', randomBytes(MiB))
  await publish(one, record, remote)
  const [entry] = readdirSync(join(shared, 'records'), { recursive: true, withFileTypes: true }).filter(
    (it) => it.isFile(),
  )
  const path = join(entry!.parentPath, entry!.name)
  writeFileSync(path, readFileSync(path, 'utf8').replace('"payload":"ey', '"payload":"eX'))
  const refusals: Refusal[] = []
  expect(await findEntry(reader(remote, refusals), record.key, signal)).toBeUndefined()
  expect(refusals).toEqual([
    {
      remote: shared,
      name: `records/main/${record.key.slice(0, 2)}/${record.key}/${ci.own.id}`,
      reason: `the entry has no valid signature of ${ci.own.id.slice(0, 12)}`,
    },
  ])
})
