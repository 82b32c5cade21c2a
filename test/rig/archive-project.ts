// A project whose only mirror is a fake one: what the tests of the lock and of the recording proxy start from.

import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import { startMirror, type Mirror } from '../../cache/mirror/mirror.ts'
import type { UpstreamLimits } from '../../cache/mirror/upstream.ts'
import type { RunContext } from '../../tasks/context.ts'
import type { ImgEvent } from '../../tasks/events.ts'
import type { AptInput } from '../../tasks/plan/recipe.ts'
import { openArchives } from '../../tasks/run/apt-archives.ts'
import { obtainLocked } from '../../tasks/run/apt-pin.ts'
import { openLock, type Lock } from '../../tasks/run/lockfile.ts'
import { makeFolder, makeSigner, makeSuite, type Signer, type SuiteContent } from './fake-archive.ts'
import { startFakeMirror, type FakeMirror } from './fake-mirror.ts'

export interface ArchiveProject {
  readonly mirror: FakeMirror
  readonly context: RunContext
  readonly events: ImgEvent[]
  readonly lockPath: string
  /** Puts a state of a suite on the mirror, in place of what it had. */
  serve(content: SuiteContent): void
  /** As a new process would: nothing remembered but the lock file and the cache. */
  open(options?: { readonly frozen?: boolean; readonly context?: Partial<RunContext> }): Promise<Lock>
  close(): Promise<void>
}

export const quick: UpstreamLimits = {
  idleMs: 10_000,
  attempts: 3,
  pauseMs: 1,
  graceMs: 30_000,
  slowestBytesPerSecond: 1000,
}

export const trixie: AptInput = {
  kind: 'apt',
  suite: 'trixie',
  components: ['main'],
  updates: false,
  security: false,
}

export const september: SuiteContent = {
  suite: 'trixie',
  date: 'Sat, 12 Sep 2026 07:55:41 UTC',
  packages: { 'hello_1.0': 'hello, one', 'world_2.0+b1': 'a world' },
}

export const october: SuiteContent = {
  suite: 'trixie',
  date: 'Sat, 10 Oct 2026 08:00:00 UTC',
  packages: { 'hello_1.1': 'hello, one point one', 'moon_1.0': 'a moon' },
}

export async function openArchiveProject(signer: Signer, limits = quick): Promise<ArchiveProject> {
  const mirror = await startFakeMirror()
  const folder = makeFolder()
  const events: ImgEvent[] = []
  const context: RunContext = {
    root: join(folder.path, 'project'),
    env: {
      IMG_MIRROR: `${mirror.url}/debian`,
      IMG_SECURITY_MIRROR: `${mirror.url}/debian-security`,
      IMG_KEYRING: signer.keyring,
    },
    cacheDir: join(folder.path, 'cache'),
    now: () => Date.parse('2026-11-01T00:00:00Z'),
    signal: new AbortController().signal,
    emit: (event) => events.push(event),
    uid: 0,
    yes: false,
  }
  return {
    mirror,
    context,
    events,
    lockPath: join(context.root, 'imgfile.lock'),
    serve(content) {
      const archive = content.suite.endsWith('-security') ? 'debian-security' : 'debian'
      for (const path of mirror.files.keys()) {
        if (path.startsWith(`/${archive}/dists/${content.suite}/`)) mirror.files.delete(path)
      }
      for (const [path, bytes] of makeSuite(signer, content)) mirror.files.set(`/${archive}/${path}`, bytes)
    },
    async open({ frozen = false, context: changed = {} } = {}) {
      const used = { ...context, ...changed }
      return await openLock(used, { frozen, archives: openArchives(used, limits) })
    },
    async close() {
      await mirror.down()
      folder.remove()
    },
  }
}

/** For the tests of a `describe`: one signer for all of them, and for each a project whose mirror has September's state. */
export function useArchiveProject(): {
  readonly signer: Signer
  readonly project: ArchiveProject
  /** The recording proxy as one `img build` starts it; ends with the test. */
  readonly startMirror: () => Promise<Mirror>
} {
  let signer: Signer | undefined
  let project: ArchiveProject | undefined
  const running = new Set<Mirror>()
  beforeAll(() => {
    signer = makeSigner()
  })
  afterAll(() => signer?.remove())
  beforeEach(async () => {
    project = await openArchiveProject(made(signer))
    project.serve(september)
  })
  afterEach(async () => {
    for (const mirror of running) await mirror.close()
    await project?.close()
  })
  return {
    get signer() {
      return made(signer)
    },
    get project() {
      return made(project)
    },
    startMirror: async () => {
      const { context, ...own } = made(project)
      const lock = await own.open()
      await lock.resolve(trixie)
      await obtainLocked(lock, [trixie], context)
      const started = await startMirror(lock, context)
      const mirror: Mirror = {
        ...started,
        close: async () => {
          running.delete(mirror)
          await started.close()
        },
      }
      running.add(mirror)
      return mirror
    },
  }
}

function made<T>(thing: T | undefined): T {
  if (thing === undefined) throw new Error('no test runs yet')
  return thing
}
