// What `img update` does to the lock, and what that changes in the packages a build can get.

import { readPackageList } from '../../cache/mirror/package-list.ts'
import type { RunContext } from '../context.ts'
import { isoSeconds, type Archives, type SuiteState } from './apt-archives.ts'
import { componentsOf, packageListsOf } from './apt-indexes.ts'
import type { Archive } from './apt-suites.ts'
import type { Lock, Pin, PinnedState } from './lockfile.ts'

/** In the order of the lock. */
export interface LockDifference {
  readonly suites: readonly SuiteChange[]
  readonly packages: readonly PackageChange[]
}

export interface SuiteChange {
  readonly archive: Archive
  readonly suite: string
  /** `older`: the mirror is behind the lock, so the lock stays. */
  readonly status: 'same' | 'newer' | 'older'
  readonly from: string
  readonly to: string
  /** False when the old package lists are no longer in the cache. */
  readonly compared: boolean
}

export interface PackageChange {
  readonly suite: string
  readonly name: string
  /** Absent: new in this suite. */
  readonly from?: string
  /** Absent: no longer in it. */
  readonly to?: string
}

/** Pins the mirrors' present state of every locked suite, if what that changes is accepted; nobody is asked about nothing. */
export async function refreshLock(
  lock: Lock,
  accept: (difference: LockDifference) => Promise<boolean>,
  context: RunContext,
): Promise<LockDifference & { readonly accepted: boolean }> {
  const archives = await lock.archives()
  const suites: SuiteChange[] = []
  const packages: PackageChange[] = []
  const news: PinnedState[] = []
  for (const pin of lock.pins()) {
    const state = await archives.fetchRelease(pin)
    const status = statusOf(pin, state)
    const dates = { from: pin.date, to: isoSeconds(state.release.date) }
    let compared = true
    if (status === 'newer') {
      news.push({ state, indexes: sameLists(pin, state) })
      const changes = await comparePackages(archives, pin, state)
      compared = changes !== undefined
      packages.push(...(changes ?? []))
    } else if (status === 'older') {
      context.emit({
        event: 'warning',
        text: `the mirror's state of ${pin.suite} (${dates.to}) is older than the locked one (${dates.from}); kept the lock`,
        hint: 'set IMG_MIRROR to a mirror that is up to date',
      })
    }
    suites.push({ archive: pin.archive, suite: pin.suite, status, ...dates, compared })
  }
  const accepted = news.length > 0 && (await accept({ suites, packages }))
  if (accepted) lock.replace(news)
  return { suites, packages, accepted }
}

/** An archive never goes back, so an older state is a mirror that lags or somebody who replays one. */
function statusOf(pin: Pin, state: SuiteState): SuiteChange['status'] {
  if (pin.inRelease === state.inRelease) return 'same'
  return state.release.date < Date.parse(pin.date) ? 'older' : 'newer'
}

/** The lists the lock has, whatever architecture wrote them. */
function sameLists(pin: Pin, { release }: SuiteState): Readonly<Record<string, string>> {
  const listed = Object.keys(pin.indexes).map((path) => [path, release.indexes.get(path)?.sha256] as const)
  const kept = listed.filter((entry): entry is readonly [string, string] => entry[1] !== undefined)
  return { ...Object.fromEntries(kept), ...packageListsOf(release, componentsOf(pin.indexes)) }
}

/** Undefined when the old lists are gone; they cannot be had from anywhere else. */
async function comparePackages(
  archives: Archives,
  pin: Pin,
  state: SuiteState,
): Promise<readonly PackageChange[] | undefined> {
  const lists = packageListsOf(state.release, componentsOf(pin.indexes))
  const before = await versionsIn(archives, pin.indexes)
  for (const path of Object.keys(lists)) await archives.fetchIndex(state, path)
  const after = await versionsIn(archives, lists)
  if (before === undefined || after === undefined) return undefined
  const names = [...new Set([...before.keys(), ...after.keys()])].toSorted()
  return names.flatMap((name) => {
    const [from, to] = [before.get(name), after.get(name)]
    if (from === to) return []
    return [
      {
        suite: pin.suite,
        name,
        ...(from === undefined ? {} : { from }),
        ...(to === undefined ? {} : { to }),
      },
    ]
  })
}

/** Only of lists that are in the cache; undefined when none is. */
async function versionsIn(
  archives: Archives,
  indexes: Readonly<Record<string, string>>,
): Promise<ReadonlyMap<string, string> | undefined> {
  const versions = new Map<string, string>()
  let found = 0
  for (const [index, sha256] of Object.entries(indexes)) {
    const file = await archives.content.find(sha256)
    if (file === undefined) continue
    found += 1
    await readPackageList({ file, index }, ({ name, version }) => {
      versions.set(name, version)
    })
  }
  return found === 0 ? undefined : versions
}
