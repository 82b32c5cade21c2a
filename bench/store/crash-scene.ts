// What the crash benches do to stores and a remote, and what must hold of them afterwards, wherever it was stopped: two
// builds of a layer are stored, recorded and sent to a folder, the older one is collected, and another machine fetches
// both.

import { generateKeyPairSync } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sha256 } from '../../cache/entries.ts'
import { openStore, type LocalStore } from '../../cache/open-store.ts'
import { directoryRemote } from '../../cache/remotes/directory.ts'
import { entryName, findEntry, type EntryReader } from '../../cache/remotes/find-entry.ts'
import { readPrivateKey, readPublicKey, renderPublicKey, type PrivateKey } from '../../cache/trust/dsse.ts'
import type { TrustedKey } from '../../cache/trust/trusted-keys.ts'
import type { LayerRecord } from '../../cache/store.ts'
import { exampleRecord } from '../../test/rig/example-record.ts'
import { canonicalJson } from '../../tasks/plan/canonical.ts'

export interface Scene {
  /** Everything that may be lost lies below it. */
  readonly folder: string
  /** What is stored; outside the folder. */
  readonly disks: readonly string[]
  readonly key: PrivateKey
  readonly signer: TrustedKey
}

/** `key` is a file that holds, or gets, the key the records are signed with. */
export async function openScene(folder: string, disks: readonly string[], keyFile: string): Promise<Scene> {
  if (!existsSync(keyFile)) {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519')
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    await writeFile(keyFile, JSON.stringify({ pem, text: renderPublicKey(publicKey) }))
  }
  const { pem, text } = JSON.parse(await readFile(keyFile, 'utf8')) as { pem: string; text: string }
  const trust = { name: 'ci', public: text, namespaces: ['main'], notAfter: undefined, revoked: false }
  return { folder, disks, key: readPrivateKey(pem)!, signer: { ...readPublicKey(text)!, ...trust } }
}

const { signal } = new AbortController()
const project = 'crash-bench'
const cacheOf = ({ folder }: Scene): string => join(folder, 'cache')
const otherOf = ({ folder }: Scene): string => join(folder, 'other')
const sharedOf = ({ folder }: Scene): string => join(folder, 'shared')
const open = (dir: string): Promise<LocalStore> => openStore({ dir, now: () => 0 })

/** Says `saved N`, `pushed N`, `collected` and `pulled N` when each is done. */
export async function act(scene: Scene, say: (line: string) => void): Promise<void> {
  const store = await open(cacheOf(scene))
  for (const [number, path] of scene.disks.entries()) {
    const artifact = await store.put({ 'disk.raw': path })
    const record = recordOf(number, artifact)
    await store.save(record)
    say(`saved ${number}`)
    await publish(scene, store, record)
    say(`pushed ${number}`)
  }
  await store.collect({ last: 1, days: 0, now: 1, dryRun: false })
  say('collected')
  await store.close()
  const other = await open(otherOf(scene))
  for (const number of scene.disks.keys()) {
    await pull(scene, other, number)
    say(`pulled ${number}`)
  }
  await other.close()
}

/** Throws when something acknowledged is lost, something wrong is believed, or doing it again does not succeed. */
export async function check(scene: Scene, said: string): Promise<void> {
  const { saved, pulled, pushed } = promises(scene, said)
  await checkStore(scene, cacheOf(scene), saved)
  await checkStore(scene, otherOf(scene), pulled)
  await checkShared(scene, pushed, { redo: true })
}

function promises(scene: Scene, said: string): Readonly<Record<'saved' | 'pulled' | 'pushed', Set<number>>> {
  const of = (doing: string): Set<number> =>
    new Set([...scene.disks.keys()].filter((number) => said.includes(`${doing} ${number}`)))
  const saved = of('saved')
  // Removed by the collection that follows the second.
  if (saved.has(1)) saved.delete(0)
  return { saved, pulled: of('pulled'), pushed: of('pushed') }
}

/** The parts of a scene that have nothing to do with each other. */
export const parts = ['cache', 'other', 'shared'] as const
export type Part = (typeof parts)[number]

/** As `check`, when what was not synced may be gone or torn: that may be found damaged, but not be believed. */
export async function checkAfterPowerCut(
  scene: Scene,
  said: string,
  { part, redo }: { readonly part: Part; readonly redo: boolean },
): Promise<void> {
  const { saved, pulled, pushed } = promises(scene, said)
  if (part === 'shared') return checkShared(scene, pushed, { redo })
  const [dir, kept] = part === 'cache' ? [cacheOf(scene), saved] : [otherOf(scene), pulled]
  if (!existsSync(dir) && kept.size === 0) return
  const store = await open(dir)
  try {
    for (const [number, path] of scene.disks.entries()) {
      const found = await store.find(keyOf(number))
      if (found.hit) await mustBe(scene, store, { record: found.record, path })
      else if (kept.has(number)) throw new Error(`lost from ${dir}: ${found.reason}`)
    }
  } finally {
    await store.close()
  }
  if (redo) await redoStore(scene, dir)
}

async function checkStore(scene: Scene, dir: string, promised: ReadonlySet<number>): Promise<void> {
  if (!existsSync(dir)) {
    if (promised.size > 0) throw new Error(`${dir} is lost`)
    return
  }
  const store = await open(dir)
  try {
    const problems = await store.verify({ readData: true })
    if (problems.some(({ kind }) => kind !== 'index')) throw new Error(JSON.stringify(problems))
    for (const [number, path] of scene.disks.entries()) {
      const found = await store.find(keyOf(number))
      if (found.hit) await mustBe(scene, store, { record: found.record, path })
      else if (promised.has(number)) throw new Error(`lost: ${found.reason}`)
    }
  } finally {
    await store.close()
  }
  await redoStore(scene, dir)
}

async function redoStore(scene: Scene, dir: string): Promise<void> {
  const store = await open(dir)
  try {
    for (const [number, path] of scene.disks.entries()) {
      const record = recordOf(number, await store.put({ 'disk.raw': path }))
      await store.save(record)
      await mustBe(scene, store, { record, path })
    }
  } finally {
    await store.close()
  }
}

/** Whoever sees an entry finds all of it, and the next push brings what is missing. */
async function checkShared(
  scene: Scene,
  promised: ReadonlySet<number>,
  { redo }: { readonly redo: boolean },
): Promise<void> {
  const shared = sharedOf(scene)
  for (const path of await filesBelow(join(shared, 'blobs'))) {
    const name = path.slice(path.lastIndexOf('/') + 1)
    if (!name.startsWith('.tmp-') && sha256(await readFile(path)) !== name)
      throw new Error(`a torn blob: ${path}`)
  }
  const isThere = (number: number): boolean =>
    existsSync(join(shared, entryName('main', keyOf(number), scene.key.id)))
  const numbers = [...scene.disks.keys()]
  const lost = numbers.find((number) => promised.has(number) && !isThere(number))
  if (lost !== undefined) throw new Error(`the pushed ${lost} is lost`)
  if (!redo && !numbers.some(isThere)) return
  const store = await open(join(scene.folder, 'reader'))
  try {
    for (const [number, path] of scene.disks.entries()) {
      if (!isThere(number) && !redo) continue
      if (!isThere(number)) {
        const record = recordOf(number, await store.put({ 'disk.raw': path }))
        await store.save(record)
        await publish(scene, store, record)
        await store.collect({ last: 0, days: 0, now: 1, dryRun: false })
      }
      await mustBe(scene, store, { record: await pull(scene, store, number), path })
    }
  } finally {
    await store.close()
  }
}

export async function publish(scene: Scene, from: LocalStore, record: LayerRecord): Promise<void> {
  const remote = directoryRemote(sharedOf(scene))
  await from.publish(record, { remote, key: scene.key, project, namespace: 'main', signal })
}

export async function pull(scene: Scene, to: LocalStore, number: number): Promise<LayerRecord> {
  const remote = directoryRemote(sharedOf(scene))
  const reader: EntryReader = {
    remote,
    keys: { project, keys: [scene.signer] },
    namespaces: ['main'],
    now: () => 0,
    onRefused: ({ reason }) => {
      throw new Error(`the entry of ${number} is refused: ${reason}`)
    },
  }
  const found = await findEntry(reader, keyOf(number), signal)
  if (found?.content.kind !== 'record') throw new Error(`there is no entry of ${number}`)
  const { content } = found
  const artifact = await to.receive({ remote, entry: content, signal, onProgress: () => undefined })
  const record = { ...content.record, artifact }
  await to.save(record)
  return record
}

export async function mustBe(
  scene: Pick<Scene, 'folder'>,
  store: LocalStore,
  {
    record,
    path,
    name = 'restored',
  }: { readonly record: LayerRecord; readonly path: string; readonly name?: string },
): Promise<void> {
  const out = join(scene.folder, name)
  await store.restore(record.artifact['disk.raw']!, out)
  if (!(await readFile(out)).equals(await readFile(path))) throw new Error(`wrong bytes of ${path}`)
  await rm(out)
}

const keyRecordOf = (number: number): { readonly build: number } => ({ build: number })
export const keyOf = (number: number): string => sha256(Buffer.from(canonicalJson(keyRecordOf(number))))

export const recordOf = (number: number, artifact: LayerRecord['artifact']): LayerRecord =>
  exampleRecord({ key: keyOf(number), keyRecord: keyRecordOf(number), artifact, started: number })

async function filesBelow(folder: string): Promise<readonly string[]> {
  if (!existsSync(folder)) return []
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

/** An empty folder for the next one. */
export async function clear({ folder }: Scene): Promise<void> {
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
}
