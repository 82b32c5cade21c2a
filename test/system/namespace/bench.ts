// A tool tree and a small parent's disk made by the backend itself, from this machine's mirror through the recording
// proxy. IMG_TEST_NAMESPACE keeps the tool tree from one run to the next.

import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { startMirror } from '../../../cache/mirror/mirror.ts'
import { tools } from '../../../recipes/tools.ts'
import type { AptAccess, Work, WorkResult } from '../../../tasks/backends/backend.ts'
import { namespaceBackend } from '../../../tasks/backends/namespace.ts'
import { unpackTools } from '../../../tasks/backends/tool-tree.ts'
import type { RunContext } from '../../../tasks/context.ts'
import { finishDiskLayout, type DiskLayout } from '../../../tasks/plan/disk-layout.ts'
import type { AptInput } from '../../../tasks/plan/recipe.ts'
import { sealSteps } from '../../../tasks/plan/seal.ts'
import type { Step } from '../../../tasks/plan/step.ts'
import { obtainLocked } from '../../../tasks/run/apt-pin.ts'
import { openLock } from '../../../tasks/run/lockfile.ts'

export const canRun: boolean = process.getuid?.() === 0 && existsSync('/usr/bin/mmdebstrap')

export interface NamespaceBench {
  readonly folder: string
  readonly tools: string
  readonly apt: AptAccess
  context(changes?: Partial<RunContext>): RunContext
  /** In a new folder; sealed at its end, before a disk is made. */
  work(steps: readonly Step[], changes?: Partial<Work>): Work
  close(): Promise<void>
}

/** A bench and the disk of `smallSteps`, which the backend made once for all tests of a `describe`. */
export interface ParentBench extends NamespaceBench {
  readonly parent: WorkResult
  readonly parentDisk: string
  /** As `work`, on the parent's disk. */
  child(steps: readonly Step[], changes?: Partial<Work>): Work
}

/** Called in a `describe`; what it returns gives the bench to its tests. */
export function parentBench(): () => ParentBench {
  let bench: NamespaceBench | undefined
  let opened: ParentBench | undefined
  beforeAll(async () => {
    const own = await openBench()
    bench = own
    const parent = await namespaceBackend().run(own.work(smallSteps), own.context())
    const parentDisk = parent.files['disk.raw'] ?? ''
    const child: ParentBench['child'] = (steps, changes) => own.work(steps, { parentDisk, ...changes })
    opened = { ...own, parent, parentDisk, child }
  })
  afterAll(() => bench?.close())
  return () => {
    if (opened === undefined) throw new Error('the bench is opened before the first test')
    return opened
  }
}

async function openBench(): Promise<NamespaceBench> {
  const folder = mkdtempSync(join(tmpdir(), 'img-namespace-'))
  const kept = process.env['IMG_TEST_NAMESPACE']
  const input: AptInput = {
    kind: 'apt',
    suite: 'trixie',
    components: ['main'],
    updates: true,
    security: true,
  }
  const context = (changes: Partial<RunContext> = {}): RunContext => ({
    root: folder,
    env: { ...process.env },
    cacheDir: kept ?? join(folder, 'cache'),
    now: () => Date.now(),
    signal: new AbortController().signal,
    emit: () => undefined,
    uid: 0,
    yes: false,
    ...changes,
  })
  const lock = await openLock(context(), { frozen: false })
  await lock.resolve(input)
  await obtainLocked(lock, [input], context())
  const mirror = await startMirror(lock, context())
  const apt = mirror.access(input)
  const close = async (): Promise<void> => {
    await mirror.close()
    rmSync(folder, { recursive: true, force: true })
  }
  let made = 0
  const bare = (steps: readonly Step[]): Work => {
    made += 1
    const directory = join(folder, `work-${made}`)
    mkdirSync(directory)
    const log = `${directory}.log`
    writeFileSync(log, '')
    return {
      layer: 'base:test',
      key: '0'.repeat(64),
      chain: [],
      mode: 'chroot',
      arch: 'amd64',
      steps,
      inputs: {},
      apt: { apt },
      directory,
      log,
    }
  }
  const tree = join(kept ?? folder, 'tools')
  if (!existsSync(tree)) {
    const steps = tools({ suite: 'trixie' }).recipes[0]?.steps(undefined as never) ?? []
    const result = await namespaceBackend().run(bare(sealed(steps)), context())
    await unpackTools(result.files['root.tar'] ?? '', tree, context())
  }
  return {
    folder,
    tools: tree,
    apt,
    context,
    close,
    work: (steps, changes) => ({ ...bare(sealed(steps)), tools: tree, ...changes }),
  }
}

/** As the engine orders them. */
function sealed(steps: readonly Step[]): readonly Step[] {
  const closing: readonly Step[] = steps.filter((step) => step.do === 'disk' || step.do === 'archive')
  return [...steps.filter((step) => !closing.includes(step)), ...sealSteps(), ...closing]
}

const mebibyte = 1024 * 1024

/** A root, a filesystem of its own for /var and swap; it does not boot. */
const smallLayout: DiskLayout = finishDiskLayout({
  size: 1024 * mebibyte,
  table: 'gpt',
  partitions: [
    { name: 'swap', size: 16 * mebibyte, grow: false, content: { kind: 'swap' } },
    {
      name: 'var',
      size: 256 * mebibyte,
      grow: false,
      content: { kind: 'ext4', mount: '/var', options: 'defaults' },
    },
    { name: 'root', size: mebibyte, grow: true, content: { kind: 'ext4', mount: '/', options: 'defaults' } },
  ],
  boot: { bios: false, uefi: false, cmdline: '', timeout: 0 },
})

export const smallSteps: readonly Step[] = [
  {
    do: 'bootstrap',
    apt: 'apt',
    suite: 'trixie',
    variant: 'minbase',
    packages: ['python3-minimal'],
    recommends: false,
    debconf: ['tzdata tzdata/Areas select Europe'],
  },
  {
    do: 'write',
    path: '/etc/fstab',
    content: 'PARTLABEL=root / ext4 defaults 0 1\nPARTLABEL=var /var ext4 defaults 0 2\n',
    mode: '0644',
  },
  { do: 'run', argv: ['useradd', '--system', '--create-home', 'someone'] },
  { do: 'disk', layout: smallLayout },
]
