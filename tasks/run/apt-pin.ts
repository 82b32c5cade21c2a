// Bringing the locked state into the cache before a build, and what happens when nobody has it any more.

import type { GoneFile } from '../../cache/mirror/locked-files.ts'
import type { RunContext } from '../context.ts'
import { ImgError } from '../errors.ts'
import type { AptInput } from '../plan/recipe.ts'
import { checkClock, isoSeconds, type Archives } from './apt-archives.ts'
import { checkComponents, componentsOf, packageListsOf } from './apt-indexes.ts'
import { aptSuitesOf, type AptSuite } from './apt-suites.ts'
import { lockName } from './lock-file.ts'
import type { Lock, Pin, PinnedState } from './lockfile.ts'

/** The mirror's present state of a suite, as the lock keeps it. */
export async function fetchState(archives: Archives, suite: AptSuite, input: AptInput): Promise<PinnedState> {
  const state = await archives.fetchRelease(suite)
  if (suite.suite === input.suite) checkComponents(state.release, input.components)
  return { state, indexes: packageListsOf(state.release, input.components) }
}

/**
 * Brings InRelease files and package lists of these resolved inputs into the cache, which a build needs. A state that
 * is nowhere to be had is pinned anew, unless the lock is frozen: those suites are returned, and every key made from
 * them is void.
 */
export async function obtainLocked(
  lock: Lock,
  inputs: readonly AptInput[],
  context: RunContext,
): Promise<readonly AptSuite[]> {
  const lost: Lost[] = []
  for (const { suite, components, isRelease } of suitesOf(inputs)) {
    const pin = pinOf(lock, suite)
    checkClock(pin.suite, Date.parse(pin.date), context)
    const because = await obtainSuite(lock, pin, { components, isRelease })
    if (because !== undefined) lost.push({ suite, components, because })
  }
  if (lost.length > 0) await repin(lock, lost, context)
  return lost.map(({ suite }) => suite)
}

/**
 * After a build that failed because package files of the locked state are gone from the mirror: pins its present
 * state. Empty when it has nothing newer, and then the mirror is broken rather than ahead.
 */
export async function repinGone(
  lock: Lock,
  gone: readonly GoneFile[],
  context: RunContext,
): Promise<readonly AptSuite[]> {
  const archives = await lock.archives()
  const lost: Lost[] = []
  for (const { archive, suite, path, reason } of gone) {
    if (lost.some(({ suite: known }) => known.archive === archive && known.suite === suite)) continue
    const pin = pinOf(lock, { archive, suite })
    const state = await archives.fetchRelease(pin)
    if (state.inRelease === pin.inRelease) continue
    const components = componentsOf(pin.indexes)
    lost.push({ suite: { archive, suite }, components, because: `${path} ${reason}` })
  }
  if (lost.length > 0) await repin(lock, lost, context)
  return lost.map(({ suite }) => suite)
}

interface Lost {
  readonly suite: AptSuite
  readonly components: readonly string[]
  readonly because: string
}

/** Pins the mirror's present state in place of one whose files are gone, and says so. */
async function repin(lock: Lock, lost: readonly Lost[], context: RunContext): Promise<void> {
  const archives = await lock.archives()
  const states: PinnedState[] = []
  for (const { suite, components, because } of lost) {
    const before = pinOf(lock, suite)
    if (lock.frozen) {
      throw new ImgError('LOCK_FROZEN', `the locked state of ${suite.suite} is gone: ${because}`, {
        path: lockName,
        hint: 'run `img update` and commit imgfile.lock, or set IMG_MIRROR to a mirror that still has this state',
      })
    }
    const state = await archives.fetchRelease(suite)
    const pinned = { state, indexes: packageListsOf(state.release, components) }
    const incomplete = await obtainLists(archives, pinned)
    if (incomplete !== undefined) throw halfUpdated(suite, incomplete)
    states.push(pinned)
    context.emit({
      event: 'warning',
      text:
        `the locked state of ${suite.suite} (${before.date}) is gone: ${because}; ` +
        `pinned the mirror's present state (${isoSeconds(state.release.date)})`,
      hint: 'commit imgfile.lock, so that others build the same',
    })
  }
  lock.replace(states)
}

/** The reason when the state is lost; else everything is in the cache. */
async function obtainSuite(
  lock: Lock,
  pin: Pin,
  { components, isRelease }: Pick<UsedSuite, 'components' | 'isRelease'>,
): Promise<string | undefined> {
  const archives = await lock.archives()
  const state = (await archives.findRelease(pin, pin.inRelease)) ?? (await archives.fetchRelease(pin))
  if (state.inRelease !== pin.inRelease)
    return `no InRelease file of ${pin.date} in the cache or on the mirror`
  if (isRelease) checkComponents(state.release, components)
  const pinned = { state, indexes: packageListsOf(state.release, components) }
  const missing = await obtainLists(archives, pinned)
  if (missing !== undefined) return missing
  if (!lock.frozen && Object.keys(pinned.indexes).some((path) => pin.indexes[path] === undefined))
    lock.add([pinned])
  return undefined
}

async function obtainLists(archives: Archives, { state, indexes }: PinnedState): Promise<string | undefined> {
  for (const path of Object.keys(indexes)) {
    const obtained = await archives.fetchIndex(state, path)
    if (obtained.status === 'gone') return `${path} ${obtained.reason}`
    if (obtained.status === 'unreachable') throw unreachable(`dists/${state.suite}/${path}`, obtained.reason)
  }
  return undefined
}

function pinOf(lock: Lock, { archive, suite }: AptSuite): Pin {
  const pin = lock.pins().find((one) => one.archive === archive && one.suite === suite)
  if (pin === undefined) throw new Error(`${suite} of ${archive} was used before it was resolved`)
  return pin
}

function unreachable(path: string, reason: string): ImgError {
  return new ImgError('MIRROR_UNREACHABLE', `cannot read ${path} from the mirror: ${reason}`, {
    hint: 'check the network and http_proxy, or set IMG_MIRROR to a mirror this machine can reach',
  })
}

function halfUpdated({ suite }: AptSuite, reason: string): ImgError {
  return new ImgError('MIRROR_UNREACHABLE', `the mirror's state of ${suite} is incomplete: ${reason}`, {
    hint: 'it may be in the middle of an update: try again in some minutes, or set IMG_MIRROR to another mirror',
  })
}

interface UsedSuite {
  readonly suite: AptSuite
  readonly components: readonly string[]
  /** Not one of the suites that update a release. */
  readonly isRelease: boolean
}

function suitesOf(inputs: readonly AptInput[]): readonly UsedSuite[] {
  const found = new Map<string, UsedSuite>()
  for (const input of inputs) {
    for (const suite of aptSuitesOf(input)) {
      const name = `${suite.archive} ${suite.suite}`
      const components = [...new Set([...(found.get(name)?.components ?? []), ...input.components])]
      found.set(name, { suite, components, isRelease: suite.suite === input.suite })
    }
  }
  return [...found.values()]
}
