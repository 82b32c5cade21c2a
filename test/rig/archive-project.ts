// A project whose only mirror is a fake one: what the tests of the lock and of the recording proxy start from.

import { join } from 'node:path'
import type { UpstreamLimits } from '../../cache/mirror/upstream.ts'
import type { RunContext } from '../../tasks/context.ts'
import type { ImgEvent } from '../../tasks/events.ts'
import type { AptInput } from '../../tasks/plan/recipe.ts'
import { openArchives } from '../../tasks/run/apt-archives.ts'
import { openLock, type Lock } from '../../tasks/run/lockfile.ts'
import { makeFolder, makeSuite, type Signer, type SuiteContent } from './fake-archive.ts'
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
