// A backend without a machine, for tests of everything above backends. A disk is a small file that lists paths and
// contents; steps change that list, so that equal steps give equal trees and a step undone gives the parent's tree.

import { createHash } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { RunContext } from '../context.ts'
import { ImgError } from '../errors.ts'
import { stepNames } from '../plan/check-step.ts'
import type { Step } from '../plan/step.ts'
import type { Backend, BackendProbe, Work, WorkResult } from './backend.ts'
import { labelOf } from './step-label.ts'

export interface FakeOptions {
  readonly name?: string
  /** Every step when absent. */
  readonly steps?: ReadonlySet<Step['do']>
  /** None when absent. */
  readonly mounts?: ReadonlySet<Step['do']>
  /** What `probe` answers; available when absent. */
  readonly probe?: BackendProbe
  /** Waited for before a layer's first step, by layer: tests decide what runs at the same time. */
  readonly gates?: Readonly<Record<string, Promise<void>>>
  /** Layers whose last step but the seal fails. */
  readonly failing?: readonly string[]
}

export interface FakeBackend extends Backend {
  /** Layers in the order their runs began. */
  readonly started: readonly string[]
}

export function fakeBackend(options: FakeOptions = {}): FakeBackend {
  const started: string[] = []
  return {
    name: options.name ?? 'fake',
    modes: ['chroot', 'boot', 'export'],
    steps: options.steps ?? stepNames(),
    mounts: options.mounts ?? new Set(),
    started,
    probe: async () => options.probe ?? { available: true },
    run: async (work, context) => {
      started.push(work.layer)
      const gate = options.gates?.[work.layer]
      if (gate !== undefined) await Promise.race([gate, aborted(context.signal)])
      return runSteps(work, context, options.failing?.includes(work.layer) ?? false)
    },
  }
}

type Tree = Map<string, string>

async function runSteps(work: Work, context: RunContext, fails: boolean): Promise<WorkResult> {
  const tree = await readTree(work.parentDisk)
  const lastOwn = work.steps.findLastIndex((step) => step.do !== 'seal')
  for (const [index, step] of work.steps.entries()) {
    if (context.signal.aborted) throw interrupted(work)
    const label = labelOf(step)
    context.emit({ event: 'step-start', layer: work.layer, step: index + 1, steps: work.steps.length, label })
    appendFileSync(work.log, `+ ${label}\n`)
    const isFalse = step.do === 'run' && step.argv[0] === 'false'
    if (isFalse || (fails && index === lastOwn)) {
      throw new ImgError('STEP_FAILED', `layer ${work.layer}: ${label} failed with exit code 1`, {
        layer: work.layer,
        output: '',
        hint: `run \`img log ${work.layer}\` for the whole output`,
      })
    }
    await changeTree(tree, step, work)
  }
  const archives = work.steps.some((step) => step.do === 'archive')
  const names = work.mode === 'export' ? work.steps.flatMap(madeBy) : [archives ? 'root.tar' : 'disk.raw']
  const text = `${JSON.stringify([...tree].toSorted(([one], [other]) => (one < other ? -1 : 1)))}\n`
  const files: Record<string, string> = {}
  for (const name of names) {
    files[name] = path.join(work.directory, name)
    await writeFile(files[name], text)
  }
  return {
    files,
    treeDigest: createHash('sha256').update(text).digest('hex'),
    toolVersions: { fake: '1' },
  }
}

const madeBy = (step: Step): readonly string[] => (step.do === 'copy' || !('to' in step) ? [] : [step.to])

async function readTree(disk: string | undefined): Promise<Tree> {
  if (disk === undefined) return new Map()
  return new Map(JSON.parse(await readFile(disk, 'utf8')) as (readonly [string, string])[])
}

async function changeTree(tree: Tree, step: Step, work: Work): Promise<void> {
  switch (step.do) {
    case 'write':
      tree.set(step.path, `${step.mode} ${step.content}`)
      break
    case 'mkdir':
      tree.set(step.path, `${step.mode} folder`)
      break
    case 'link':
      tree.set(step.path, `-> ${step.target}`)
      break
    case 'copy':
      tree.set(
        step.to,
        await readFile(work.inputs[step.input] ?? '', 'utf8').catch(() => `folder ${step.input}`),
      )
      break
    case 'remove':
      for (const removed of step.paths) {
        for (const name of tree.keys()) {
          if (name === removed || name.startsWith(`${removed}/`)) tree.delete(name)
        }
      }
      break
    case 'bootstrap':
      tree.set('/etc/os-release', step.suite)
      tree.set('/packages', step.packages.join(' '))
      break
    case 'run':
      // `true` leaves no trace, as in a real image.
      if (step.argv[0] !== 'true') tree.set(`/ran/${step.argv.join(' ')}`, step.stdin ?? '')
      break
    case 'apt':
      for (const name of step.install) tree.set(`/installed/${name}`, '')
      for (const name of step.remove) tree.delete(`/installed/${name}`)
      break
    case 'puppet':
      tree.set('/catalog', JSON.stringify(step.catalog))
      break
    case 'script':
      tree.set('/script', step.input)
      break
    case 'disk':
      tree.set('/disk', JSON.stringify(step.layout))
      break
    case 'firstboot':
      tree.set('/booted', step.script)
      break
    case 'seal':
    case 'archive':
      break
    default:
      if ('to' in step) tree.set(`made ${step.to}`, JSON.stringify(step))
  }
}

const interrupted = (work: Work): ImgError =>
  new ImgError('INTERRUPTED', `layer ${work.layer} was interrupted`)

function aborted(signal: AbortSignal): Promise<void> | undefined {
  if (signal.aborted) return undefined
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
