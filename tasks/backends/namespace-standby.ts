// A parent's disk ready to be changed, mounted, guarded and knows its packages before anybody asks: what a layer's build
// does before its first step does not depend on the layer. Kept by `img watch` between two rounds.

import { mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import type { RunContext } from '../context.ts'
import { openWorkspace, type Workspace } from '../run/workspace.ts'
import type { Work } from './backend.ts'
import { enterUpdatedApt } from './chroot-apt.ts'
import { enterMounted } from './chroot-layer.ts'
import { mountDisk, type MountedDisk } from './disk-mounts.ts'
import type { Build } from './namespace-build.ts'
import { type KnownContents, openKnownContents } from './known-contents.ts'
import { makeFolders, mountTools } from './namespace-mounts.ts'
import { openNamespace } from './namespace-session.ts'
import { openOverlayDisk } from './overlay-disk.ts'
import { openWorkDisk, type WorkDisk } from './work-disk.ts'

export interface NamespaceStandby {
  /** What there is for such work, as a build of it that has been entered; undefined when there is nothing that fits. */
  take(work: Work, context: RunContext): Promise<TakenBuild | undefined>
  /** What is known of the parent's files. */
  readonly contents: KnownContents
  /** Makes ready what was asked for last, where it is not; a failure only means that there is nothing. */
  readonly makeReady: () => Promise<void>
  /** Frees everything. */
  close(): Promise<void>
}

export interface TakenBuild {
  readonly build: Build
  readonly disk: MountedDisk
  readonly on: WorkDisk
  /** Moves the result to where it belongs and frees the rest; also after a failure. */
  readonly leave: (result?: string) => Promise<void>
}

interface Ready {
  readonly of: string
  readonly build: Build
  readonly disk: MountedDisk
  readonly on: WorkDisk
  readonly workspace: Workspace
  /** Ends everything that runs in the session. */
  readonly abort: AbortController
  /** Inputs are moved here: a mount made now would not be seen everywhere. */
  readonly inputs: string
}

/** One for the last work, since each takes a disk and memory. */
export function openStandby(context: RunContext): NamespaceStandby {
  let wanted: Work | undefined
  let ready: Ready | undefined
  let making: Promise<void> = Promise.resolve()

  const drop = async (): Promise<void> => {
    const gone = ready
    ready = undefined
    if (gone !== undefined) await free(gone)
  }
  const make = async (): Promise<void> => {
    if (wanted === undefined || ready?.of === identityOf(wanted)) return
    await drop()
    ready = await prepare(wanted, context)
  }
  return {
    contents: openKnownContents(),
    take: async (work, own) => {
      await making
      const found = ready
      wanted = fits(work) ? work : wanted
      if (found === undefined || found.of !== identityOf(work)) return undefined
      ready = undefined
      return takeOver(found, work, own)
    },
    makeReady: () => {
      // What it would have said, the next build says.
      making = making.then(make).catch(() => undefined)
      return making
    },
    close: async () => {
      await making
      await drop()
    },
  }
}

/** Only where the first step updates the package lists does it make no difference that it is done before. */
function fits({ parentDisk, tools, steps, mode }: Work): boolean {
  const [first] = steps
  const isFirstApt = first !== undefined && 'apt' in first && first.apt !== undefined
  return mode === 'chroot' && parentDisk !== undefined && tools !== undefined && isFirstApt
}

/** Everything of the work that the state before its first step is made of. */
function identityOf({ parentDisk, parentBelow, tools, apt, steps }: Work): string {
  const epoch = steps.find((step) => step.do === 'seal')?.epoch
  return JSON.stringify([parentDisk, parentBelow, tools, apt, firstApt(steps), epoch])
}

function firstApt([first]: Work['steps']): string | undefined {
  return first !== undefined && 'apt' in first ? first.apt : undefined
}

async function prepare(work: Work, context: RunContext): Promise<Ready> {
  const workspace = await openWorkspace(context.cacheDir)
  const directory = path.join(workspace.path, 'standby')
  const inputs = path.join(workspace.path, 'inputs')
  for (const folder of [directory, inputs]) mkdirSync(folder)
  const abort = new AbortController()
  const log = path.join(workspace.path, 'log')
  const folders = makeFolders(directory)
  const silent: RunContext = { ...context, signal: abort.signal, emit: () => undefined }
  const { tools = '' } = work
  const dates = Object.values(work.apt).map(({ date }) => date)
  const own = { ...work, directory, log, inputs: {} }
  const overlay = await openOverlayDisk(own)
  const closing: (() => Promise<unknown>)[] = [() => workspace.remove(), async () => overlay?.end()]
  try {
    const session = await openNamespace({
      directory: path.join(directory, 'mounts'),
      userNamespace: false,
      ...(overlay === undefined ? {} : { mountsOf: overlay.pid }),
      signal: abort.signal,
      log,
    })
    closing.push(() => session.close())
    overlay?.onLost(() => void session.close())
    const build: Build = {
      work: own,
      context: silent,
      session,
      folders,
      epoch: work.steps.find((step) => step.do === 'seal')?.epoch ?? 0,
      cut: Math.max(...dates),
    }
    const on = await openWorkDisk(build, overlay)
    await mountTools(session, folders, tools)
    const disk = await mountDisk(build, on.file)
    await enterMounted(build, { tools, inputs: { '': inputs } })
    await enterUpdatedApt(build, firstApt(work.steps) ?? '')
    return { of: identityOf(work), build, disk, on, workspace, abort, inputs }
  } catch (error) {
    for (const close of closing.toReversed()) await close()
    throw error
  }
}

function takeOver(ready: Ready, work: Work, context: RunContext): TakenBuild {
  const { build, disk, on, workspace, abort } = ready
  const { directory, log } = build.work
  const onAbort = (): void => abort.abort()
  context.signal.addEventListener('abort', onAbort, { once: true })
  if (context.signal.aborted) abort.abort()
  // The session's log is the layer's from here on.
  rmSync(log, { force: true })
  symlinkSync(work.log, log)
  const inputs = Object.entries(work.inputs).map(([name, source]) => {
    const to = path.join(ready.inputs, encodeURIComponent(name))
    renameSync(source, to)
    return [name, to] as const
  })
  const own = { ...work, directory, inputs: Object.fromEntries(inputs) }
  return {
    build: { ...build, work: own, context },
    disk,
    on,
    leave: async (result) => {
      context.signal.removeEventListener('abort', onAbort)
      await build.session.close()
      await on.overlay?.end()
      if (result !== undefined) renameSync(result, path.join(work.directory, path.basename(result)))
      await workspace.remove()
    },
  }
}

async function free({ build, on, workspace }: Ready): Promise<void> {
  await build.session.close()
  await on.overlay?.end()
  await workspace.remove()
}
