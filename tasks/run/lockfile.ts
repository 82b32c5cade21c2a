// imgfile.lock: what every outside thing was when it was first used. The same lock gives the same keys on every
// machine, with no network. It names archives and suites, never a host.

import { createHash } from 'node:crypto'
import type { RunContext } from '../context.ts'
import { ImgError } from '../errors.ts'
import type { AptInput } from '../plan/recipe.ts'
import type { Archives, Elsewhere, SuiteState } from './apt-archives.ts'
import { aptSuitesOf, type AptSuite } from './apt-suites.ts'
import { lockName, readLockFile, writeLockFile, type LockContent, type LockedSuite } from './lock-file.ts'
import type { ResolvedInput } from './resolved.ts'

export interface Lock {
  readonly path: string
  readonly frozen: boolean
  /** Where its files may be, besides the mirror. */
  readonly elsewhere: Elsewhere | undefined
  /** Pins what is not pinned, which needs a mirror; everything pinned is answered from the file alone. */
  resolve(input: AptInput): Promise<ResolvedInput>
  /** The pinned suites of a resolved input, in the order of sources. */
  pinsOf(input: AptInput): readonly Pin[]
  /** Every suite the file has, sorted. */
  pins(): readonly Pin[]
  /** The pinned files of an installer. */
  medium(name: string): Readonly<Record<string, string>> | undefined
  /** What another process pinned meanwhile wins; returns what is pinned now. */
  pinMedium(name: string, digests: Readonly<Record<string, string>>): Readonly<Record<string, string>>
  /** Names of the pinned installers. */
  media(): readonly string[]
  /** Lets them be pinned anew by the next plan. */
  forgetMedia(): readonly string[]
  /** Adds package lists to states that are still the pinned ones. */
  add(states: readonly PinnedState[]): void
  /** Writes these states over the pinned ones. */
  replace(states: readonly PinnedState[]): void
  /** The network side, loaded only when something has to be fetched or served. */
  archives(): Promise<Archives>
}

export interface Pin extends AptSuite, LockedSuite {}

export interface PinnedState {
  readonly state: SuiteState
  readonly indexes: Readonly<Record<string, string>>
}

export interface LockOptions {
  /** `--frozen`: the file may not change. */
  readonly frozen: boolean
  /** Given by tests; else opened when first needed. */
  readonly archives?: Archives
  /** Where files of the locked state may be, besides the mirror. */
  readonly elsewhere?: Elsewhere
}

/** Rejects when the file is there and cannot be understood. */
export async function openLock(context: RunContext, options: LockOptions): Promise<Lock> {
  const path = `${context.root}/${lockName}`
  const { frozen } = options
  let content = readLockFile(path)
  let opened = options.archives === undefined ? undefined : Promise.resolve(options.archives)
  const pinning = new Map<string, Promise<void>>()

  const archives = (): Promise<Archives> =>
    (opened ??= import('./apt-archives.ts').then((loaded) =>
      loaded.openArchives(context, undefined, options.elsewhere),
    ))
  const find = (suite: AptSuite): Pin | undefined => findPin(content, suite)

  /** What another process pinned since we read the file wins over a first pin, so that both build from one state. */
  const save = (states: readonly PinnedState[], over: 'pinned' | 'missing'): void => {
    const latest = readLockFile(path)
    const news = states.filter(({ state }) => {
      const pinned = findPin(latest, state)
      return over === 'pinned' || pinned === undefined || pinned.inRelease === state.inRelease
    })
    content = withStates(latest, news)
    if (news.length > 0) writeLockFile(path, content)
  }

  const pin = async (suite: AptSuite, input: AptInput): Promise<void> => {
    if (frozen) {
      throw new ImgError(
        'LOCK_FROZEN',
        `imgfile.lock has no state of ${suite.suite}, and --frozen allows no new one`,
        {
          path: lockName,
          hint: 'run `img build` once without --frozen and commit imgfile.lock',
        },
      )
    }
    const { fetchState } = await import('./apt-pin.ts')
    const pinned = await fetchState(await archives(), suite, input)
    save([pinned], 'missing')
    // 2026-09-12T07:55:41Z is more than anybody reads, and than fits a line.
    const date = find(suite)?.date.slice(0, 16).replace('T', ' ')
    context.emit({
      event: 'note',
      text: `imgfile.lock: pinned ${suite.suite} of ${suite.archive} as of ${date}`,
    })
  }

  const pinOnce = async (suite: AptSuite, input: AptInput): Promise<void> => {
    const name = `${suite.archive} ${suite.suite}`
    if (find(suite) !== undefined) return
    let running = pinning.get(name)
    if (running === undefined) {
      running = pin(suite, input).finally(() => pinning.delete(name))
      pinning.set(name, running)
    }
    await running
  }

  const pinsOf = (input: AptInput): readonly Pin[] =>
    aptSuitesOf(input).map((suite) => {
      const pinned = find(suite)
      if (pinned === undefined) throw new Error(`apt input ${input.suite} was used before it was resolved`)
      return pinned
    })

  return {
    path,
    frozen,
    elsewhere: options.elsewhere,
    pinsOf,
    archives,
    async resolve(input) {
      await Promise.all(aptSuitesOf(input).map((suite) => pinOnce(suite, input)))
      return resolvedInput(input, pinsOf(input))
    },
    pins: () =>
      Object.entries(content.apt)
        .flatMap(([archive, suites]) => Object.keys(suites).map((suite) => ({ archive, suite }) as AptSuite))
        .map((suite) => find(suite))
        .filter((found) => found !== undefined)
        .toSorted((a, b) => (`${a.archive} ${a.suite}` < `${b.archive} ${b.suite}` ? -1 : 1)),
    medium: (name) => content.media?.[name],
    pinMedium(name, digests) {
      const latest = readLockFile(path)
      const pinned = latest.media?.[name] ?? digests
      content = { ...latest, media: { ...latest.media, [name]: pinned } }
      if (latest.media?.[name] === undefined) writeLockFile(path, content)
      return pinned
    },
    media: () => Object.keys(content.media ?? {}),
    forgetMedia() {
      const { media = {}, ...rest } = readLockFile(path)
      const names = Object.keys(media)
      if (names.length > 0) writeLockFile(path, (content = rest))
      return names
    },
    add: (states) => save(states, 'missing'),
    replace: (states) => save(states, 'pinned'),
  }
}

function findPin(content: LockContent, { archive, suite }: AptSuite): Pin | undefined {
  const locked = content.apt[archive]?.[suite]
  return locked === undefined ? undefined : { archive, suite, ...locked }
}

/** Another state's package lists are not this one's; of the same state every list ever used stays. */
function withStates(content: LockContent, states: readonly PinnedState[]): LockContent {
  const apt: Record<string, Record<string, LockedSuite>> = {}
  for (const [archive, suites] of Object.entries(content.apt)) apt[archive] = { ...suites }
  for (const { state, indexes } of states) {
    const before = apt[state.archive]?.[state.suite]
    const date = new Date(state.release.date).toISOString().replace(/\.\d+Z$/, 'Z')
    const kept = before?.inRelease === state.inRelease ? before.indexes : {}
    const locked = { inRelease: state.inRelease, date, indexes: { ...kept, ...indexes } }
    apt[state.archive] = { ...apt[state.archive], [state.suite]: locked }
  }
  return { ...content, apt }
}

/** Components decide which packages apt sees, so they count beside the states. */
function resolvedInput(input: AptInput, pins: readonly Pin[]): ResolvedInput {
  const states = pins
    .map(({ suite, inRelease }) => [suite, inRelease] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
  const components = [...new Set(input.components)].toSorted()
  return {
    kind: 'apt',
    inKey: true,
    digest: createHash('sha256').update(JSON.stringify({ states, components })).digest('hex'),
    files: states.map(([suite, digest]) => ({ path: `apt/${suite}/InRelease`, digest })),
  }
}
