// An image into Glance. It is created hidden, uploaded and compared; showing it is the change, and only then the ones
// before are hidden: who asks by name always finds one. What a killed run left is found by its properties.

import { getHashes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import type { RunContext } from '../../tasks/context.ts'
import { ImgError } from '../../tasks/errors.ts'
import type { JsonValue } from '../../tasks/plan/step.ts'
import { RemoteError } from '../remotes/remote.ts'
import { hashFile } from '../repository/hash-file.ts'
import type { Glance, GlanceImage } from './glance.ts'
import type { TargetFiles } from './target-files.ts'

export interface GlanceOptions {
  /** Replaced images kept. */
  readonly keep: number
  /** Of this cache: half an image of ours is no upload that goes on elsewhere. */
  readonly publisher: string
  /** Between two looks at an image that is not active yet; 1 s unless told. */
  readonly pollMs?: number
}

export interface PublishedGlance {
  readonly status: 'new' | 'changed' | 'restored' | 'unchanged'
  readonly image: string
  readonly id: string
  /** Grows with every other image under the name. */
  readonly revision: number
  /** Bytes uploaded. */
  readonly sent: number
  /** Ids of images that are hidden since, and of those that are gone. */
  readonly hidden: readonly string[]
  readonly removed: readonly string[]
}

type Context = Pick<RunContext, 'signal' | 'now' | 'emit'>

/** Throws RemoteError, and REMOTE_FAILED for other bytes than were sent. */
export async function publishGlance(
  { files, glance }: { readonly files: TargetFiles; readonly glance: Glance },
  options: GlanceOptions,
  context: Context,
): Promise<PublishedGlance> {
  const image = await readImage(files)
  const { name } = image
  const ours = (await glance.list(name)).filter((one) => one.img_key !== undefined)
  const removed: string[] = []
  for (const half of ours.filter((one) => isLeft(one, options, context)))
    if (await glance.remove(half.id)) removed.push(half.id)
  const active = ours.filter(({ status }) => status === 'active')
  const [newest] = active.toSorted(byRevision)
  const next = 1 + Math.max(0, ...active.map(revisionOf))
  const same = active.find((one) => isSame(one, image))
  const isThere = same !== undefined && same === newest && same.name === name && !same.os_hidden
  const sent = same === undefined ? await upload({ files, glance, image, next }, options, context) : undefined
  const id = same?.id ?? sent!.id
  const shown = { name, img_name: name, img_revision: String(next), os_hidden: false }
  if (!isThere) await glance.change(id, shown)
  const before = active.filter((one) => one.id !== id)
  const hidden = await hide(before, name, glance)
  for (const old of before.toSorted(byRevision).slice(options.keep)) {
    if (await glance.remove(old.id)) removed.push(old.id)
    else warnKept(old, context)
  }
  return {
    status: isThere ? 'unchanged' : same !== undefined ? 'restored' : before.length === 0 ? 'new' : 'changed',
    image: name,
    id,
    revision: isThere ? revisionOf(same) : next,
    sent: sent?.bytes ?? 0,
    hidden: hidden.filter((one) => !removed.includes(one)),
    removed,
  }
}

/** `image.json` of the target. */
interface ImageFile {
  readonly name: string
  readonly disk_format: string
  readonly container_format: string
  readonly min_disk: number
  readonly min_ram: number
  readonly os_hash_algo: string
  readonly os_hash_value: string
  readonly properties: Readonly<Record<string, string>>
}

const readImage = async (files: TargetFiles): Promise<ImageFile> =>
  JSON.parse((await files.read('image.json')).toString()) as ImageFile

/** One that was never finished: ours at once, of others after a day, which no upload takes. */
function isLeft(
  { status, created_at, img_publisher }: GlanceImage,
  options: GlanceOptions,
  { now }: Context,
): boolean {
  if (!['queued', 'saving', 'uploading', 'importing', 'killed'].includes(status)) return false
  return img_publisher === options.publisher || now() - Date.parse(created_at) > 24 * 60 * 60_000
}

const revisionOf = ({ img_revision: text = '' }: GlanceImage): number =>
  /^\d{1,9}$/.test(text) ? Number(text) : 0

const byRevision = (one: GlanceImage, other: GlanceImage): number =>
  revisionOf(other) - revisionOf(one) || (one.created_at < other.created_at ? 1 : -1)

const isSame = (one: GlanceImage, { properties, os_hash_algo, os_hash_value }: ImageFile): boolean =>
  one.img_key === properties['img_key'] &&
  (one.os_hash_algo !== os_hash_algo || one.os_hash_value === os_hash_value)

interface Uploading {
  readonly files: TargetFiles
  readonly glance: Glance
  readonly image: ImageFile
  readonly next: number
}

async function upload(
  { files, glance, image, next }: Uploading,
  { publisher, pollMs = 1000 }: GlanceOptions,
  { signal }: Context,
): Promise<{ readonly id: string; readonly bytes: number }> {
  const { name, disk_format, container_format, min_disk, min_ram, properties } = image
  return files.use('disk.qcow2', async (path) => {
    const own = { img_name: name, img_revision: String(next), img_publisher: publisher }
    const facts: Record<string, JsonValue> = { name, disk_format, container_format, min_disk, min_ram }
    const { id } = await glance.create({ ...facts, ...properties, ...own, os_hidden: true })
    try {
      const { size } = await stat(path)
      const read = (): AsyncIterable<Buffer> => createReadStream(path, { highWaterMark: 1024 * 1024 })
      await glance.upload(id, { length: size, read })
      await checkBytes(await waitActive(id, { glance, pollMs, signal }), path)
      return { id, bytes: size }
    } catch (error) {
      // As far as it goes: the next run finds it otherwise.
      await glance.remove(id, AbortSignal.timeout(10_000)).catch(() => false)
      throw error
    }
  })
}

async function waitActive(
  id: string,
  {
    glance,
    pollMs,
    signal,
  }: { readonly glance: Glance; readonly pollMs: number; readonly signal: AbortSignal },
): Promise<GlanceImage> {
  let image = await glance.read(id)
  for (let looks = 1; image.status !== 'active' && looks < looksMax; looks++) {
    if (!['queued', 'saving', 'uploading', 'importing'].includes(image.status)) break
    await setTimeout(pollMs, undefined, { signal })
    image = await glance.read(id)
  }
  if (image.status === 'active') return image
  throw new RemoteError('answer', `the image ${id} is ${image.status} and does not become active`)
}

async function checkBytes(image: GlanceImage, path: string): Promise<void> {
  const { os_hash_algo: algorithm, os_hash_value: value, checksum } = image
  const [name, found] = algorithm === null ? ['md5', checksum] : [algorithm.replace('_', '-'), value]
  const wanted = getHashes().includes(name) ? (await hashFile(path, name))?.digest : undefined
  if (found === wanted) return
  throw new ImgError('REMOTE_FAILED', `glance has other bytes than were sent: their ${name} differs`, {
    wanted: wanted ?? `a digest img can make`,
    found: found ?? 'none',
    hint: 'the image was removed, and nothing changed for readers: publish again',
  })
}

async function hide(
  before: readonly GlanceImage[],
  name: string,
  glance: Glance,
): Promise<readonly string[]> {
  const hidden: string[] = []
  for (const old of before.filter((one) => !one.os_hidden || one.name === name)) {
    const revision = revisionOf(old)
    const called = `${name}-${revision === 0 ? old.id.slice(0, 8) : `r${revision}`}`
    await glance.change(old.id, { os_hidden: true, name: called, img_name: name })
    hidden.push(old.id)
  }
  return hidden
}

const warnKept = ({ id, name }: GlanceImage, { emit }: Context): void =>
  emit({
    event: 'warning',
    text: `glance keeps the old image ${name} (${id}): it is protected, in use or not ours to remove`,
    hint: 'it is hidden; the next publish tries again',
  })

const looksMax = 600
