// What an installer that was never used here should be, as its publisher says: Debian's signed archive for its network
// installers, else the checksums that lie beside the files.

import { ImgError } from '../errors.ts'
import type { MediumLocation } from '../plan/recipe.ts'
import type { Failed } from '../../cache/mirror/upstream.ts'
import { debianArchitecture } from './apt-indexes.ts'
import { isUbuntuSuite } from './apt-suites.ts'
import type { Lock } from './lockfile.ts'

/** Files of a medium by what they are (`kernel`, `initrd`, `iso`): sha256. */
export type MediumDigests = Readonly<Record<string, string>>

/** Paths below the archive's base URL. */
export function netbootFiles(suite: string): { readonly kernel: string; readonly initrd: string } {
  const folder = `dists/${suite}/${netbootFolder()}`
  return { kernel: `${folder}/linux`, initrd: `${folder}/initrd.gz` }
}

export async function publishedDigests(
  location: MediumLocation,
  places: Readonly<Record<string, string>>,
  { lock }: { readonly lock: Lock },
): Promise<MediumDigests> {
  if (typeof location !== 'string' && 'suite' in location) return archiveDigests(location.suite, lock)
  const archives = await lock.archives()
  const reasons: string[] = []
  for (const url of sumsBeside(Object.values(places)[0] ?? '')) {
    const text = await archives.readUrl(url)
    if ('reason' in text) {
      reasons.push(`${new URL(url).pathname} ${text.reason}`)
      continue
    }
    const found = digestsIn(text.bytes.toString('utf8'), url, places)
    if (found !== undefined) return found
    reasons.push(`${new URL(url).pathname} does not list it`)
  }
  throw new ImgError('INPUT_MISSING', `nobody says what the installer should be: ${reasons.join('; ')}`, {
    hint: 'download and check it yourself, and name the local files',
  })
}

async function archiveDigests(suite: string, lock: Lock): Promise<MediumDigests> {
  if (isUbuntuSuite(suite)) {
    throw new ImgError('OPTION_INVALID', `the archive of Ubuntu has no installer of ${suite}`, {
      hint: "name the ISO: location: 'https://…/ubuntu-24.04-live-server-amd64.iso'",
      found: suite,
    })
  }
  const archives = await lock.archives()
  const state = await archives.fetchRelease({ archive: 'debian', suite })
  const images = imagesFolder()
  const path = `${images}/SHA256SUMS`
  const wanted = state.release.indexes.get(path)
  if (wanted === undefined) {
    throw new ImgError('INPUT_MISSING', `${suite} has no installer for ${debianArchitecture()}`, {
      hint: 'name another suite, or the installer itself as location',
      found: suite,
    })
  }
  const done = await archives.fetchFile('debian', `dists/${suite}/${path}`, wanted)
  const sums = await archives.content.read(wanted.sha256)
  if (sums === undefined) throw unreadable({ suite, path }, done as Failed)
  const { kernel, initrd } = netbootFiles(suite)
  const found = digestsIn(sums.toString('utf8'), `/dists/${suite}/${path}`, {
    kernel: `/${kernel}`,
    initrd: `/${initrd}`,
  })
  if (found !== undefined) return found
  throw new ImgError('INPUT_MISSING', `${path} of ${suite} lists no network installer`, {
    hint: 'name the installer itself as location',
  })
}

const imagesFolder = (): string => `main/installer-${debianArchitecture()}/current/images`
const netbootFolder = (): string => `${imagesFolder()}/netboot/debian-installer/${debianArchitecture()}`

function unreadable({ suite, path }: Record<'suite' | 'path', string>, { status, reason }: Failed): ImgError {
  if (status === 'gone') {
    const message = `the mirror lacks the ${path} that its Release of ${suite} names: ${reason}`
    return new ImgError('MIRROR_UNREACHABLE', message, {
      hint: 'the mirror may be in the middle of an update: try again later, or set IMG_MIRROR to another one',
    })
  }
  return new ImgError('MIRROR_UNREACHABLE', `cannot read ${path} from the mirror: ${reason}`, {
    hint: 'check the network and http_proxy, or set IMG_MIRROR to a mirror this machine can reach',
  })
}

/** Nearest first: beside the file (Ubuntu's ISOs), above it (Debian's images), and Red Hat's description of a tree. */
function sumsBeside(url: string): readonly string[] {
  const folders: string[] = []
  for (let at = url; folders.length < 5;) {
    at = at.slice(0, at.lastIndexOf('/'))
    if (!/^https?:\/\/[^/]+/.test(at)) break
    folders.push(at)
  }
  return folders.flatMap((folder) => [`${folder}/SHA256SUMS`, `${folder}/.treeinfo`])
}

/** Pure. Of every file, or undefined when one is not listed. Paths are relative to the list. */
export function digestsIn(
  text: string,
  listed: string,
  places: Readonly<Record<string, string>>,
): MediumDigests | undefined {
  const base = listed.slice(0, listed.lastIndexOf('/') + 1)
  const sums = new Map<string, string>()
  for (const line of text.split('\n')) {
    const sum = /^([0-9a-f]{64})\s+[* ]?(?:\.\/)?(\S+)$/.exec(line)
    if (sum !== null) sums.set(sum[2] ?? '', sum[1] ?? '')
    const tree = /^(\S+)\s*=\s*sha256:([0-9a-f]{64})$/.exec(line)
    if (tree !== null) sums.set(tree[1] ?? '', tree[2] ?? '')
  }
  const digests = Object.entries(places).map(
    ([file, place]) => [file, sums.get(place.startsWith(base) ? place.slice(base.length) : '')] as const,
  )
  if (digests.some(([, digest]) => digest === undefined)) return undefined
  return Object.fromEntries(digests) as MediumDigests
}
