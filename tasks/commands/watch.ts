import type { BuildResult } from '../build.ts'
import type { RunContext } from '../context.ts'
import { makePlan } from '../plan/plan.ts'
import type { BenchOptions } from '../run/bench.ts'
import type { Compile } from '../run/catalog-compile.ts'
import type { Project } from '../run/project.ts'
import type { TreeLocks } from '../run/tree-locks.ts'
import type { Decided } from '../run/watch-round.ts'
import type { Call, Command } from './command.ts'
import { toWholeNumber } from './machine-options.ts'

export const watch: Command = {
  name: 'watch',
  summary: 'build again whenever something a layer is made of changes',
  arguments: '[layers...]',
  options: [
    { flags: '--test', description: 'boot what was built and check what it says' },
    { flags: '--run', description: 'keep a machine of the newest image running, with its console here' },
    { flags: '--exec <command>', description: 'run a shell command when everything is up to date' },
    {
      flags: '--poll',
      description: 'look twice a second, where the kernel tells nothing (NFS, shared folders)',
    },
    {
      flags: '-j, --jobs <n>',
      description: 'layers to build at once',
      parse: toWholeNumber('--jobs', 1),
    },
    { flags: '--frozen', description: 'refuse to change imgfile.lock' },
  ],
  example: 'img watch role:ceph-node --test',
  run: async (call, context) => {
    const [{ watchFolders }, { makeWaker }, { watchLoop }, { watchImgfile }, { makeRounds }, { afterRound }] =
      await Promise.all([
        import('../run/watch-folders.ts'),
        import('../run/waker.ts'),
        import('../run/watch-loop.ts'),
        import('../run/watch-imgfile.ts'),
        import('../run/watch-round.ts'),
        import('./watch-after.ts'),
      ])
    await (await import('../run/workspace.ts')).removeAbandoned(context.cacheDir)
    const warm = await keepWarm(context, { frozen: call.options['frozen'] === true })
    const { poll, imgfile, frozen } = call.options
    const waker = makeWaker({ timer: startTimer, now: context.now })
    const folders = watchFolders({
      poll: poll === true,
      emit: context.emit,
      onChange: (path) => {
        if (rounds.isRelevant(path)) waker.wake(path)
      },
    })
    const rounds = makeRounds({
      context,
      selectors: call.args,
      folders,
      imgfile: watchImgfile(context.root, {
        ...(typeof imgfile === 'string' ? { imgfile } : {}),
        frozen: frozen === true,
        compile: warm.compile,
        treeLocks: warm.treeLocks,
      }),
      build: (project, decided) => build(project, decided, { call, warm }),
      after: (project, decided) => afterRound(project, decided, call),
      again: () => waker.wake(context.root),
      idle: warm.makeReady,
    })
    try {
      await watchLoop(rounds, waker, context.signal)
    } finally {
      await Promise.all([folders.close(), warm.close()])
    }
    return interrupted(context)
  },
}

async function build(
  project: Project,
  { wanted, decisions }: Decided,
  { call, warm }: { readonly call: Call; readonly warm: Warm },
): Promise<BuildResult | 'void'> {
  await (await import('./watch-after.ts')).checkAfter(project, { wanted, decisions }, call)
  const { jobs } = call.options
  for (const { name, action, reason } of makePlan(project.graph, wanted, decisions).layers) {
    if (action === 'build') project.context.emit({ event: 'note', layer: name, text: reason })
  }
  const { buildDecided } = await import('../build.ts')
  const mode = 'keep-going'
  const options = {
    ...warm.options,
    mode,
    check: false,
    ...(typeof jobs === 'number' ? { jobs } : {}),
  } as const
  return buildDecided(project, { wanted, decisions }, options)
}

/** What a build needs, kept from round to round. */
interface Warm {
  readonly compile: Compile
  /** The standby and the compile server have a tree open between rounds. */
  readonly treeLocks: TreeLocks
  readonly options: BenchOptions
  readonly makeReady: () => Promise<void>
  close(): Promise<void>
}

async function keepWarm(context: RunContext, options: { readonly frozen: boolean }): Promise<Warm> {
  const [{ openCompileServer }, { openStandby }, { keepMirror }, { backends }, { openTreeLocks }] =
    await Promise.all([
      import('../run/compile-server.ts'),
      import('../backends/namespace-standby.ts'),
      import('../run/kept-mirror.ts'),
      import('../backends/index.ts'),
      import('../run/tree-locks.ts'),
    ])
  const treeLocks = openTreeLocks()
  const server = openCompileServer()
  const standby = openStandby(context)
  const mirror = keepMirror(context, options)
  return {
    compile: server.compile,
    treeLocks,
    options: { backends: backends(standby), mirror: mirror.of },
    makeReady: standby.makeReady,
    close: async () => {
      await Promise.all([server.close(), standby.close()])
      await mirror.close()
      await treeLocks.close()
    },
  }
}

/** Waiting for Ctrl-C is how it ends; that is told by the status and not as an error. */
const interrupted = (context: RunContext): number => (context.signal.aborted ? 130 : 0)

function startTimer(ms: number, then: () => void): () => void {
  const timer = setTimeout(then, ms)
  return () => clearTimeout(timer)
}
