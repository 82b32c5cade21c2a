// The archives as seen from this machine: verified suite states and index files, from the cache first.

import { createHash } from 'node:crypto'
import { openContent, type Content, type Wanted } from '../../cache/mirror/content.ts'
import {
  openUpstream,
  type Failed,
  type Traffic,
  type Upstream,
  type UpstreamLimits,
} from '../../cache/mirror/upstream.ts'
import type { RunContext } from '../context.ts'
import { ImgError } from '../errors.ts'
import { findKeyring } from './apt-keyring.ts'
import { discoverMirrors, withoutCredentials, type Mirrors } from './apt-mirrors.ts'
import { verifyRelease, type Release } from './apt-release.ts'
import type { Archive, AptSuite } from './apt-suites.ts'

export interface Archives {
  readonly content: Content
  /** What the mirror has now, verified and kept. */
  fetchRelease(suite: AptSuite): Promise<SuiteState>
  /** A state by its InRelease digest, from this cache or a shared one. */
  findRelease(suite: AptSuite, inRelease: string): Promise<SuiteState | undefined>
  /** Into the content, unless it is there; by its digest, so also when the mirror has moved on but kept it. */
  fetchIndex(state: SuiteState, path: string): Promise<Obtained>
  /** `path` is below the archive's base URL and already encoded. */
  fetchFile(archive: Archive, path: string, wanted: Wanted): Promise<Obtained>
  /** The same from anywhere else. */
  fetchUrl(url: string, sha256: string): Promise<Obtained>
  /** A file that changes, from anywhere else. */
  readUrl(url: string): Promise<{ readonly bytes: Buffer } | Failed>
  /** What was asked of mirrors so far. */
  traffic(): Traffic
}

export interface SuiteState extends AptSuite {
  /** sha256 of the InRelease file. */
  readonly inRelease: string
  readonly release: Release
}

/** `cached`: nothing was downloaded. */
export type Obtained = { readonly status: 'cached' | 'stored' } | Failed

/** A file somebody else used and kept, verified; undefined when nobody has it. */
export type Elsewhere = (wanted: Wanted) => Promise<Buffer | undefined>

export function openArchives(
  context: RunContext,
  limits?: UpstreamLimits,
  elsewhere: Elsewhere = async () => undefined,
): Archives {
  const directory = `${context.cacheDir}/mirror`
  const content = openContent(directory)
  const upstream = openUpstream({ content, directory, ...(limits === undefined ? {} : { limits }) }, context)
  let discovered: Promise<Mirrors> | undefined
  const mirrorOf = async (archive: Archive): Promise<string> =>
    (await (discovered ??= discoverMirrors(context)))[archive]

  const verified = async ({ archive, suite }: AptSuite, bytes: Buffer): Promise<SuiteState> => {
    checkClock(suite, dateOf(bytes), context)
    const release = await verifyRelease(bytes, { keyring: findKeyring(archive, context), suite }, context)
    return { archive, suite, release, inRelease: createHash('sha256').update(bytes).digest('hex') }
  }

  const takeElsewhere = async (wanted: Wanted): Promise<boolean> => {
    const bytes = await elsewhere(wanted)
    if (bytes !== undefined) await content.keep(bytes)
    return bytes !== undefined
  }
  /** The mirror failed where somebody else did not: from then on it is asked last. */
  let hasFailed = false

  const fetchFile = async (archive: Archive, path: string, wanted: Wanted): Promise<Obtained> => {
    if ((await content.find(wanted.sha256)) !== undefined) return { status: 'cached' }
    if (hasFailed && (await takeElsewhere(wanted))) return { status: 'stored' }
    const obtained = await upstream.download(`${await mirrorOf(archive)}/${path}`, wanted)
    if (hasFailed || !('reason' in obtained)) return obtained
    hasFailed = await takeElsewhere(wanted)
    return hasFailed ? { status: 'stored' } : obtained
  }

  return {
    content,
    fetchFile,
    readUrl: (url) => upstream.read(url),
    fetchUrl: (url, sha256) => upstream.download(url, { sha256 }),
    traffic: () => upstream.traffic(),

    async fetchRelease({ archive, suite }) {
      const bytes = await readRelease(
        { archive, suite },
        { mirror: await mirrorOf(archive), upstream, context },
      )
      const state = await verified({ archive, suite }, bytes)
      await content.keep(bytes)
      warnExpired(state, context)
      return state
    },

    async findRelease(suite, inRelease) {
      const kept = await content.read(inRelease)
      const bytes = kept ?? (await elsewhere({ sha256: inRelease }))
      if (kept === undefined && bytes !== undefined) await content.keep(bytes)
      return bytes === undefined ? undefined : await verified(suite, bytes)
    },

    async fetchIndex({ archive, suite, release }, path) {
      const wanted = release.indexes.get(path)
      if (wanted === undefined) return { status: 'gone', reason: `is not listed by ${suite}` }
      const folder = path.slice(0, path.lastIndexOf('/') + 1)
      const byHash = `dists/${suite}/${folder}by-hash/SHA256/${wanted.sha256}`
      const first = release.byHash ? await fetchFile(archive, byHash, wanted) : undefined
      if (first !== undefined && first.status !== 'gone') return first
      return await fetchFile(archive, `dists/${suite}/${path}`, wanted)
    },
  }
}

/** apt would refuse it; for a build it is as good as any other state, but somebody should look at that mirror. */
function warnExpired({ suite, release: { date, validUntil } }: SuiteState, context: RunContext): void {
  if (validUntil === undefined || context.now() <= validUntil) return
  context.emit({
    event: 'warning',
    text: `the mirror's state of ${suite} (${isoSeconds(date)}) was valid until ${isoSeconds(validUntil)} only`,
    hint: 'the mirror is not kept up to date: set IMG_MIRROR to another one',
  })
}

/** A clock behind the archive makes files the build creates look older than the packages it installs. */
export function checkClock(suite: string, date: number | undefined, context: RunContext): void {
  if (date === undefined || date <= context.now()) return
  throw new ImgError('CLOCK_WRONG', `this machine's clock is before the date of ${suite}'s package state`, {
    wanted: `${isoSeconds(date)} or later`,
    found: isoSeconds(context.now()),
    hint: 'set the clock, for example with `timedatectl set-ntp true`',
  })
}

export function isoSeconds(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')
}

/** Unverified, and good for nothing but to say that the clock is wrong before gpgv says so in worse words. */
function dateOf(bytes: Buffer): number | undefined {
  const date = Date.parse(/^Date: (.*)$/m.exec(bytes.toString('latin1'))?.[1] ?? '')
  return Number.isNaN(date) ? undefined : date
}

async function readRelease(
  { archive, suite }: AptSuite,
  {
    mirror,
    upstream,
    context,
  }: { readonly mirror: string; readonly upstream: Upstream; readonly context: RunContext },
): Promise<Buffer> {
  const text = await upstream.read(`${mirror}/dists/${suite}/InRelease`)
  const shown = withoutCredentials(mirror)
  if (text.status === 'current') return text.bytes
  if (text.status === 'cached') {
    context.emit({
      event: 'warning',
      text: `${shown} cannot be reached; using the state of ${suite} it had when last seen`,
      hint: 'run `img update` when the network is back',
    })
    return text.bytes
  }
  const variable = archive === 'debian-security' ? 'IMG_SECURITY_MIRROR' : 'IMG_MIRROR'
  if (text.status === 'gone') {
    throw new ImgError(
      'INPUT_MISSING',
      `${shown} has no suite ${suite}: dists/${suite}/InRelease ${text.reason}`,
      {
        hint: `check the suite's name, or set ${variable} to a mirror that has it`,
      },
    )
  }
  throw new ImgError(
    'MIRROR_UNREACHABLE',
    `cannot read dists/${suite}/InRelease from ${shown}: ${text.reason}`,
    {
      hint: `check the network and http_proxy, or set ${variable} to a mirror this machine can reach`,
    },
  )
}
