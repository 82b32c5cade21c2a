// An installer as an input: what it is, from imgfile.lock or, the first time, from who publishes it; and its bytes, from
// wherever this machine has them, checked against that.

import { createHash } from 'node:crypto'
import { constants, createReadStream } from 'node:fs'
import { copyFile, mkdir, stat } from 'node:fs/promises'
import { basename, isAbsolute, join, relative, resolve } from 'node:path'
import type { RunContext } from '../context.ts'
import { ImgError } from '../errors.ts'
import type { MediumInput } from '../plan/recipe.ts'
import { debianArchitecture } from './apt-indexes.ts'
import { lockName } from './lock-file.ts'
import type { Lock } from './lockfile.ts'
import { netbootFiles, publishedDigests, type MediumDigests } from './medium-digests.ts'
import type { ResolvedInput } from './resolved.ts'

export interface MediumSources {
  readonly context: RunContext
  readonly lock: Lock
}

/** `stage` makes a folder with a file for each name of the digests. */
export async function resolveMedium(input: MediumInput, sources: MediumSources): Promise<ResolvedInput> {
  const { lock, context } = sources
  const name = mediumName(input.location)
  const pinned = lock.medium(name) ?? (await pinMedium(input, name, sources))
  const digests = Object.entries(pinned).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return {
    kind: 'medium',
    digest: createHash('sha256').update(JSON.stringify(digests)).digest('hex'),
    files: digests.map(([file, digest]) => ({ path: `${name} ${file}`, digest })),
    inKey: true,
    seen: [lock.path],
    stage: async (to) => {
      await mkdir(to)
      for (const [file, digest] of digests) {
        context.emit({ event: 'note', text: `installer: bringing its ${file}` })
        const found = await obtain(input, { name, file, digest }, sources)
        await copyFile(found, join(to, file), constants.COPYFILE_FICLONE)
      }
    },
  }
}

/** The same on every machine, so without a host and without a folder of this one. */
export function mediumName(location: MediumInput['location']): string {
  if (typeof location === 'string') return shortName(location)
  if ('suite' in location) return `${location.suite} netboot ${debianArchitecture()}`
  return `${shortName(location.kernel)} ${shortName(location.initrd)}`
}

const isUrl = (place: string): boolean => /^https?:\/\//.test(place)

function shortName(place: string): string {
  if (isUrl(place)) return new URL(place).pathname.replace(/^\/+|\/+$/g, '')
  return isAbsolute(place) ? basename(place) : place.replace(/\/+$/, '')
}

async function pinMedium(input: MediumInput, name: string, sources: MediumSources): Promise<MediumDigests> {
  const { lock, context } = sources
  if (lock.frozen) {
    throw new ImgError(
      'LOCK_FROZEN',
      `imgfile.lock has no installer ${name}, and --frozen allows no new one`,
      {
        path: lockName,
        hint: 'run `img plan` once without --frozen and commit imgfile.lock',
      },
    )
  }
  const places = await placesOf(input, context)
  const local = Object.entries(places).filter(([, place]) => isAbsolute(place))
  const digests: Record<string, string> = {}
  for (const [file, place] of local) digests[file] = await digestOf(place, context)
  if (local.length === 0) Object.assign(digests, await publishedDigests(input.location, places, sources))
  context.emit({ event: 'note', text: `imgfile.lock: pinned the installer ${name}` })
  return lock.pinMedium(name, digests)
}

/** Where each file of the medium is: a URL or an absolute path. */
async function placesOf(
  { location }: MediumInput,
  context: RunContext,
): Promise<Readonly<Record<string, string>>> {
  const own = (place: string): string => (isUrl(place) ? place : resolve(context.root, place))
  if (typeof location !== 'string') {
    return 'suite' in location
      ? netbootFiles(location.suite)
      : { kernel: own(location.kernel), initrd: own(location.initrd) }
  }
  const place = own(location).replace(/\/+$/, '')
  if (place.endsWith('.iso')) return { iso: place }
  const layouts = treeLayouts.map(([kernel, initrd]) => ({
    kernel: `${place}/${kernel}`,
    initrd: `${place}/${initrd}`,
  }))
  if (isUrl(place)) {
    // Debian's and Ubuntu's trees end in the folder of the images, Red Hat's begin above theirs.
    const isDebian = /\/(?:installer-[a-z0-9]+|images|netboot)(?:\/|$)/.test(place)
    const found = layouts[isDebian ? 0 : layouts.length - 1]
    if (found !== undefined) return found
  }
  for (const layout of layouts) if (await isFile(layout.kernel)) return layout
  throw new ImgError('INPUT_MISSING', `there is no installer in ${location}`, {
    path: location,
    hint: `name an ISO, or a folder with ${treeLayouts.map((files) => files.join(' and ')).join(', or ')}`,
  })
}

/** Kernel and initrd as distributions lay them out. */
const treeLayouts = [
  ['debian-installer/amd64/linux', 'debian-installer/amd64/initrd.gz'],
  ['netboot/debian-installer/amd64/linux', 'netboot/debian-installer/amd64/initrd.gz'],
  ['linux', 'initrd.gz'],
  ['install.amd/vmlinuz', 'install.amd/initrd.gz'],
  ['casper/vmlinuz', 'casper/initrd'],
  ['images/pxeboot/vmlinuz', 'images/pxeboot/initrd.img'],
] as const

/** From `IMG_MEDIA`, a folder beside the imgfile, the cache, or where it was published. */
async function obtain(
  input: MediumInput,
  wanted: { readonly name: string; readonly file: string; readonly digest: string },
  { context, lock }: MediumSources,
): Promise<string> {
  const place = (await placesOf(input, context))[wanted.file] ?? ''
  const media = context.env['IMG_MEDIA']
  const candidates = [
    ...(media === undefined || media === '' ? [] : [join(media, basename(place))]),
    ...(isAbsolute(place) ? [place] : []),
  ]
  for (const candidate of candidates) {
    if ((await isFile(candidate)) && (await digestOf(candidate, context)) === wanted.digest) return candidate
  }
  const archives = await lock.archives()
  const kept = await archives.content.find(wanted.digest)
  if (kept !== undefined) return kept
  let reason = 'is not there, or not what imgfile.lock pins'
  if (!isAbsolute(place)) {
    const done = isUrl(place)
      ? await archives.fetchUrl(place, wanted.digest)
      : await archives.fetchFile('debian', place, { sha256: wanted.digest })
    const path = await archives.content.find(wanted.digest)
    if (path !== undefined) return path
    if ('reason' in done) reason = `could not be fetched: ${done.reason}`
  }
  throw new ImgError(
    'INPUT_MISSING',
    `the installer ${wanted.name} cannot be had: its ${wanted.file} ${reason}`,
    {
      wanted: wanted.digest,
      ...(isAbsolute(place) ? { path: shown(place, context) } : {}),
      hint: 'set IMG_MEDIA to a folder that has it, or run `img update --installers` to pin the present one',
    },
  )
}

/** As the imgfile says it, where that is possible. */
function shown(path: string, { root }: RunContext): string {
  const inside = relative(root, path)
  return inside.startsWith('..') ? path : inside
}

async function digestOf(path: string, context: RunContext): Promise<string> {
  const hash = createHash('sha256')
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 }))
      hash.update(chunk as Buffer)
  } catch (cause) {
    throw new ImgError('INPUT_MISSING', `cannot read the installer's file ${shown(path, context)}`, {
      path: shown(path, context),
      hint: 'check the path, relative to the imgfile',
      cause,
    })
  }
  return hash.digest('hex')
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile()
  } catch {
    return false
  }
}
