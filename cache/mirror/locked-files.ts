// From what apt asks for to a verified file of the locked state, fetched when it is not in the cache.

import type { Archives, Obtained, SuiteState } from '../../tasks/run/apt-archives.ts'
import type { Archive } from '../../tasks/run/apt-suites.ts'
import type { Lock, Pin } from '../../tasks/run/lockfile.ts'
import type { Digested } from './content.ts'
import { readPackageList } from './package-list.ts'
import type { AptRequest } from './request.ts'
import type { SentFile } from './send.ts'

export interface LockedFiles {
  /** These suites' lists are looked into first. */
  expect(pins: readonly Pin[]): void
  locate(request: AptRequest): Promise<Located>
  gone(): readonly GoneFile[]
}

type Located =
  | ({ readonly status: 'found' } & SentFile)
  /** Not part of the locked state. */
  | { readonly status: 'refused'; readonly reason: string }
  /** Part of it, and not to be had. */
  | { readonly status: 'failed'; readonly reason: string }

export interface GoneFile {
  readonly archive: Archive
  /** Every suite whose lists have it. */
  readonly suite: string
  readonly path: string
  readonly reason: string
}

export function openLockedFiles(lock: Lock, archives: Archives): LockedFiles {
  const gone: GoneFile[] = []
  const readState = makeStateReader(archives)
  const findPackage = makePackageFinder(archives)
  const pinsIn = (archive: Archive): readonly Pin[] => lock.pins().filter((pin) => pin.archive === archive)

  const located = async (pin: Pin, asked: Asked): Promise<Located> => {
    const obtained = await asked.obtain()
    if (obtained.status === 'gone') {
      gone.push({ archive: pin.archive, suite: pin.suite, path: asked.path, reason: obtained.reason })
    }
    const file = 'reason' in obtained ? undefined : await archives.content.find(asked.wanted.sha256)
    if (file !== undefined) return { status: 'found', file, ...asked.wanted, date: Date.parse(pin.date) }
    const reason = 'reason' in obtained ? obtained.reason : 'disappeared from the cache'
    return { status: 'failed', reason: `the mirror's ${asked.path}: ${reason}` }
  }

  const locateIndex = async (
    pin: Pin,
    choose: (state: SuiteState) => string | undefined,
  ): Promise<Located> => {
    const state = await readState(pin)
    if (state === undefined) return lostRelease(pin)
    const path = choose(state)
    const wanted = path === undefined ? undefined : state.release.indexes.get(path)
    if (path === undefined || wanted === undefined)
      return refused(`not listed by the locked state of ${pin.suite}`)
    const obtain = (): Promise<Obtained> => archives.fetchIndex(state, path)
    return await located(pin, { path: `dists/${pin.suite}/${path}`, wanted, obtain })
  }

  return {
    gone: () => gone,
    expect: (pins) => findPackage.expect(pins),
    async locate(request) {
      if (request.kind === 'refused') return refused(request.reason)
      const pins = pinsIn(request.archive)
      if (request.kind === 'package') {
        const listed = await findPackage.in(pins, request.file)
        if (listed === undefined) return refused('not listed by any locked suite')
        const encoded = request.file.split('/').map(encodeURIComponent).join('/')
        const obtain = (): Promise<Obtained> => archives.fetchFile(request.archive, encoded, listed.wanted)
        return await located(listed.pin, { path: request.file, wanted: listed.wanted, obtain })
      }
      const pin = pins.find(({ suite }) => suite === request.suite)
      if (pin === undefined) return refused(`imgfile.lock has no suite ${request.suite}`)
      if (request.kind === 'index') return await locateIndex(pin, () => request.path)
      if (request.kind === 'digest') {
        return await locateIndex(pin, ({ release }) => pathOf(release.indexes, request.sha256))
      }
      const file = await archives.content.find(pin.inRelease)
      const size = (await archives.content.read(pin.inRelease))?.length
      if (file === undefined || size === undefined) return lostRelease(pin)
      return { status: 'found', file, size, sha256: pin.inRelease, date: Date.parse(pin.date) }
    },
  }
}

interface Asked {
  readonly path: string
  readonly wanted: Digested
  readonly obtain: () => Promise<Obtained>
}

function refused(reason: string): Located {
  return { status: 'refused', reason }
}

function lostRelease({ suite }: Pin): Located {
  return { status: 'failed', reason: `the locked dists/${suite}/InRelease is not in the cache` }
}

function pathOf(indexes: ReadonlyMap<string, Digested>, sha256: string): string | undefined {
  return [...indexes].find(([, index]) => index.sha256 === sha256)?.[0]
}

/** Verifying an InRelease file starts gpgv: once per state. */
function makeStateReader(archives: Archives): (pin: Pin) => Promise<SuiteState | undefined> {
  const states = new Map<string, Promise<SuiteState | undefined>>()
  return async (pin) => {
    let state = states.get(pin.inRelease)
    if (state === undefined) states.set(pin.inRelease, (state = archives.findRelease(pin, pin.inRelease)))
    return await state
  }
}

interface Listed {
  readonly pin: Pin
  readonly wanted: Digested
}

type PackageFiles = ReadonlyMap<string, Digested>

interface PackageFinder {
  expect(pins: readonly Pin[]): void
  in(pins: readonly Pin[], file: string): Promise<Listed | undefined>
}

/** Reading a release's list takes a second and 30 MB, so only as many are read as it takes to find the file. */
function makePackageFinder(archives: Archives): PackageFinder {
  const lists = new Map<string, Promise<PackageFiles | undefined>>()
  const hits = new Map<string, number>()
  const hitsOf = ({ inRelease }: Pin): number => hits.get(inRelease) ?? 0
  const listOf = async (index: string, sha256: string): Promise<PackageFiles | undefined> => {
    let list = lists.get(sha256)
    if (list === undefined) lists.set(sha256, (list = readFiles(index, sha256, archives)))
    const files = await list
    // Not in the cache yet, which another request may change.
    if (files === undefined) lists.delete(sha256)
    return files
  }
  return {
    expect(pins) {
      for (const pin of pins) hits.set(pin.inRelease, hitsOf(pin) + 1)
    },
    async in(pins, file) {
      for (const pin of pins.toSorted((a, b) => hitsOf(b) - hitsOf(a))) {
        for (const [index, sha256] of Object.entries(pin.indexes)) {
          const wanted = (await listOf(index, sha256))?.get(file)
          if (wanted === undefined) continue
          hits.set(pin.inRelease, hitsOf(pin) + 1)
          return { pin, wanted }
        }
      }
      return undefined
    },
  }
}

async function readFiles(
  index: string,
  sha256: string,
  archives: Archives,
): Promise<PackageFiles | undefined> {
  const file = await archives.content.find(sha256)
  if (file === undefined) return undefined
  const files = new Map<string, Digested>()
  await readPackageList({ file, index }, (listed) => {
    files.set(copied(listed.file), { sha256: copied(listed.sha256), size: listed.size })
  })
  return files
}

/** A piece of a string keeps the whole alive: here, the text of the list. */
function copied(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}
