// What `img watch` does with images that are up to date: test them, run a command, keep a machine of one.

import type { LayerRecord } from '../../cache/store.ts'
import type { RunContext } from '../context.ts'
import { ImgError } from '../errors.ts'
import type { LayerName } from '../plan/recipe.ts'
import { decisionIn } from '../run/decide.ts'
import { programPath, startProgram } from '../run/process.ts'
import type { Project } from '../run/project.ts'
import type { Decided } from '../run/watch-round.ts'
import type { Call } from './command.ts'

/** What cannot be done with these layers is said before they are built. */
export async function checkAfter({ context }: Project, { wanted }: Decided, call: Call): Promise<void> {
  const { run, test } = call.options
  if (run === true && wanted.length !== 1) {
    throw new ImgError('USAGE', `--run shows one machine, and ${wanted.length} layers are watched`, {
      hint: 'name one layer: img watch role:ceph-node --run',
    })
  }
  if (test === true) await (await import('./test.ts')).requireMachines('bios', context)
}

export async function afterRound(project: Project, decided: Decided, call: Call): Promise<void> {
  const { test, exec, run } = call.options
  if (test === true) await testImages(project, decided, call)
  if (typeof exec === 'string') await runCommand(project, decided, exec)
  if (run === true) await runMachine(project, decided)
}

async function testImages(project: Project, { wanted }: Decided, call: Call): Promise<void> {
  const [{ layerDisks }, { testLayer, renderTest }] = await Promise.all([
    import('./with-layer-disks.ts'),
    import('./test.ts'),
  ])
  const disks = layerDisks(project)
  const options = { firmware: 'bios', memory: 1024 }
  for (const layer of wanted) {
    const result = await testLayer({ layer, disks, call: { ...call, options } }, project.context)
    call.print(call.json ? result : `${renderTest(result)}\n`)
  }
}

/** Told by its environment what is up to date; the next change ends it. */
async function runCommand(project: Project, { wanted, decisions }: Decided, command: string): Promise<void> {
  const { context } = project
  const [only] = wanted
  const disk = only === undefined || wanted.length > 1 ? undefined : await diskOf(project, decisions, only)
  const env = {
    ...homeAndTerminal(context),
    IMG_LAYERS: wanted.join(' '),
    ...(disk === undefined ? {} : { IMG_DISK: disk }),
  }
  const program = startProgram(['sh', '-c', command], { terminal: true, cwd: context.root, env })
  const stop = (): void => program.kill('SIGTERM')
  context.signal.addEventListener('abort', stop, { once: true })
  const { exitCode, signal } = await program.exited
  context.signal.removeEventListener('abort', stop)
  if (exitCode === 0 || context.signal.aborted) return
  const text = `--exec ended with ${exitCode === undefined ? signal : `exit code ${exitCode}`}: ${command}`
  context.emit({ event: 'warning', text })
}

/** The console is here until the next change, or until the machine is ended. */
async function runMachine(project: Project, { wanted, decisions }: Decided): Promise<void> {
  const { context } = project
  const [layer] = wanted
  if (layer === undefined) return
  const { runImage } = await import('../backends/run-image.ts')
  const options = { layer, firmware: 'bios', memory: 2048, cpus: 2, outside: true } as const
  await runImage(await diskOf(project, decisions, layer), options, context)
}

async function diskOf(project: Project, decisions: Decided['decisions'], name: LayerName): Promise<string> {
  const decision = decisionIn(decisions, name)
  const record = decision.status === 'cached' ? (decision.record as LayerRecord) : undefined
  const file = record?.artifact['disk.raw']
  if (file !== undefined) return project.store.materialise(file)
  throw new ImgError('USAGE', `${name} has no disk`, {
    hint: 'name a layer whose artifact is a disk',
    layer: name,
  })
}

function homeAndTerminal({ env }: RunContext): Readonly<Record<string, string>> {
  const passed = ['HOME', 'TERM', 'LANG'].flatMap((name) => {
    const value = env[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  return { PATH: env['PATH'] ?? programPath, ...Object.fromEntries(passed) }
}
