// A project as the commands have it: the loaded imgfile, its graph, the store and the lock file. Opening reads; nothing
// of the network, no tool and no backend is touched before something needs it.

import type { LocalStore } from '../../cache/open-store.ts'
import { openStore } from '../../cache/open-store.ts'
import type { RunContext } from '../context.ts'
import { type Graph, makeGraph } from '../plan/graph.ts'
import type { Compile } from './catalog-compile.ts'
import { type LocalInput, resolveInput } from './inputs.ts'
import { type LoadedImgfile, loadImgfile } from './load.ts'
import { type Lock, openLock } from './lockfile.ts'
import { projectIdentity } from './project-identity.ts'
import type { ResolvedInput } from './resolved.ts'
import type { Remotes } from './remotes.ts'
import { openTreeLocks, type TreeLocks } from './tree-locks.ts'
import { openStatCache, type StatCache } from './stat-cache.ts'

export interface Project {
  readonly context: RunContext
  readonly loaded: LoadedImgfile
  /** Also parents and tool trees that are not listed. */
  readonly graph: Graph
  readonly store: LocalStore
  /** Opened when first asked for; undefined when there is none, or nobody whose entries could be believed. */
  readonly remotes: () => Promise<Remotes | undefined>
  readonly sharesKnown: boolean
  readonly lock: Lock
  readonly stats: StatCache
  /** What an input is now; `place` is layer and input: `role:web 0.script`. */
  readonly read: (declaration: LocalInput, place: string) => Promise<ResolvedInput>
  /** Folder of an unpacked tool tree, by the key it was built under. */
  readonly toolsOf: (key: string) => Promise<string>
  readonly compile?: Compile
  /** Writes what was learnt about input files, and lets the store go. */
  close(): Promise<void>
}

export interface ProjectOptions {
  /** `--imgfile`; absent: looked for upwards. */
  readonly imgfile?: string
  /** `--frozen`: the lock file is not changed. */
  readonly frozen?: boolean
  /** `--no-remote`: nothing is asked of other machines. */
  readonly remotes?: boolean
  /** `img push`: what plans need of computed values is sent, too. */
  readonly sharesKnown?: boolean
  /** Compiles catalogs instead of a puppet started for each. */
  readonly compile?: Compile
  /** Of whoever uses tool trees longer than the project is open, and closes them. */
  readonly treeLocks?: TreeLocks
}

/** Keys, clients and signatures are loaded only by who has remotes. */
async function openAll(
  urls: readonly string[],
  store: LocalStore,
  context: RunContext,
): Promise<Remotes | undefined> {
  return (await import('./remotes.ts')).openRemotes(urls, store, context)
}

/** `IMG_REMOTES` (comma-separated; empty for none) replaces what the imgfile lists. */
function remoteUrls(env: RunContext['env'], listed: readonly string[]): readonly string[] {
  const given = env['IMG_REMOTES']
  if (given === undefined) return listed
  return given
    .split(',')
    .map((url) => url.trim())
    .filter((url) => url !== '')
}

export async function openProject(context: RunContext, options: ProjectOptions = {}): Promise<Project> {
  return openLoaded(context, await loadImgfile(context, options.imgfile), options)
}

/** As openProject, of an imgfile that is loaded already. */
export async function openLoaded(
  context: RunContext,
  loaded: LoadedImgfile,
  options: Omit<ProjectOptions, 'imgfile'> = {},
): Promise<Project> {
  const graph = makeGraph(loaded.imgfile, context.root)
  const store = await openStore({
    dir: context.cacheDir,
    now: context.now,
    project: projectIdentity(context.root),
  })
  const stats = openStatCache(context)
  const sources = { root: context.root, env: context.env, stats, closure: loaded.closure }
  const locks = options.treeLocks ?? openTreeLocks()
  const unpacked = new Map<string, Promise<string>>()
  // With it come the backends and all that starts programs; most commands unpack nothing.
  const unpack = async (key: string): Promise<string> =>
    (await import('./tool-trees.ts')).unpackedTools(key, { store, locks }, context)
  const urls = options.remotes === false ? [] : remoteUrls(context.env, loaded.imgfile.remotes ?? [])
  let opened: Promise<Remotes | undefined> | undefined
  const remotes = (): Promise<Remotes | undefined> =>
    (opened ??= urls.length === 0 ? Promise.resolve(undefined) : openAll(urls, store, context))
  const lock = await openLock(context, {
    frozen: options.frozen ?? false,
    elsewhere: async (wanted) => (await remotes())?.readFile(wanted),
  })
  return {
    context,
    loaded,
    graph,
    store,
    remotes,
    sharesKnown: options.sharesKnown === true,
    lock,
    stats,
    ...(options.compile === undefined ? {} : { compile: options.compile }),
    read: (declaration, place) => resolveInput(declaration, { ...sources, place }),
    toolsOf: (key) => {
      const folder = unpacked.get(key) ?? unpack(key)
      unpacked.set(key, folder)
      return folder
    },
    close: async () => {
      stats.save()
      await (await opened?.catch(() => undefined))?.settle()
      if (options.treeLocks === undefined) await locks.close()
      await store.close()
    },
  }
}
