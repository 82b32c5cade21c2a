// Runs chroot steps without root: the disk is mounted by the kernel of libguestfs's appliance, where the same tool tree
// and the same code change it. What only reads or cleans the disk's file runs here, which is faster than emulated.

import path from 'node:path'
import type { RunContext } from '../context.ts'
import type { Step } from '../plan/step.ts'
import type { AptAccess, Backend, Work, WorkResult } from './backend.ts'
import { digestMounted, runOnMounted } from './chroot-layer.ts'
import { cleanDisk } from './clean-disk.ts'
import { inspectDisk, type DiskPart } from './disk-inspect.ts'
import { copyDisk, mountDisk, unmountImage } from './disk-mounts.ts'
import { diskDevice, openAppliance, type Appliance } from './libguestfs-appliance.ts'
import { inputArchive, partitionDevices, stagedInputs, toolDisk } from './libguestfs-disks.ts'
import { probeLibguestfs } from './libguestfs-probe.ts'
import { runSysprepStep } from './libguestfs-sysprep.ts'
import { runVirtBuilderStep } from './libguestfs-virt-builder.ts'
import { announce, runOnHost, type Build } from './namespace-build.ts'
import { makeFolders, mountTools, unmountTools } from './namespace-mounts.ts'
import { openNamespace } from './namespace-session.ts'
import { readToolVersions } from './tool-versions.ts'
import { withBuild } from './with-build.ts'

export function libguestfsBackend(): Backend {
  const name = 'libguestfs'
  return { name, modes: ['chroot'], steps, mounts: new Set(), needsTools: true, probe: probeLibguestfs, run }
}

/** Not `script`: a function of the imgfile runs here and wants to open the image's files. */
const steps: ReadonlySet<Step['do']> = new Set<Step['do']>([
  'run',
  'apt',
  'write',
  'copy',
  'mkdir',
  'link',
  'remove',
  'puppet',
  'virt-builder',
  'sysprep',
  'trim',
  'seal',
])

const run = (work: Work, context: RunContext): Promise<WorkResult> => withBuild(work, context, runHere)

async function runHere(build: Build): Promise<WorkResult> {
  const { work, session, folders } = build
  const { parentDisk, tools } = work
  const [builder] = work.steps
  const isBuilder = builder?.do === 'virt-builder'
  if (parentDisk === undefined && !isBuilder)
    throw new Error(`layer ${work.layer} has no disk for libguestfs to change`)
  if (tools === undefined) throw new Error(`layer ${work.layer} has a parent but no tool tree`)
  await mountTools(session, folders, tools)
  if (isBuilder) announce(build, 0)
  const file = isBuilder ? await runVirtBuilderStep(build, builder) : await copyDisk(build, parentDisk ?? '')
  const parts = await inspectDisk(build, file)
  let treeDigest: string | undefined
  for (const [from, to] of stretches(work.steps)) {
    if (work.steps[from]?.do === 'virt-builder') continue
    const first = work.steps[from]
    if (first?.do === 'sysprep') {
      announce(build, from)
      await runSysprepStep(build, first, file)
    } else treeDigest = await runInAppliance(build, { file, parts, tools, from, to })
  }
  await cleanDisk(build, file, parts)
  await unmountTools(session, folders)
  const result = { files: { 'disk.raw': file }, toolVersions: await readToolVersions(build) }
  return treeDigest === undefined ? result : { ...result, treeDigest }
}

/** virt-sysprep and virt-builder want the disk for themselves; the steps between two of them share an appliance. Places: first, behind last. */
function stretches(all: readonly Step[]): readonly (readonly [from: number, to: number])[] {
  const found: [from: number, to: number][] = []
  for (const [index, step] of all.entries()) {
    const last = found.at(-1)
    const isAlone = wantsWhole(step) || wantsWhole(all[index - 1])
    if (last === undefined || isAlone) found.push([index, index + 1])
    else last[1] = index + 1
  }
  return found
}

const wantsWhole = (step: Step | undefined): boolean => step?.do === 'sysprep' || step?.do === 'virt-builder'

interface Stretch {
  readonly file: string
  readonly parts: readonly DiskPart[]
  readonly tools: string
  readonly from: number
  readonly to: number
}

async function runInAppliance(build: Build, stretch: Stretch): Promise<string | undefined> {
  const { work, context } = build
  const own = work.steps.slice(stretch.from, stretch.to)
  const inputs = stagedInputs(own, work.inputs)
  const archive = await inputArchive(build, inputs)
  const disks = { image: stretch.file, tools: await toolDisk(build, stretch.tools) }
  const network = own.some((step) => 'apt' in step && step.apt !== undefined)
  const appliance = await openAppliance(
    {
      directory: work.directory,
      disks: archive === undefined ? disks : { ...disks, inputs: archive },
      network,
      log: work.log,
    },
    context,
  )
  const there = { ...stretch, inputs: inputs.map(([name]) => name) }
  const treeDigest = await runThere(build, appliance, there).catch(async (error: unknown) => {
    // The first error says more.
    await appliance.close().catch(() => undefined)
    throw error
  })
  await appliance.close()
  return treeDigest
}

async function runThere(
  here: Build,
  appliance: Appliance,
  stretch: Stretch & { readonly inputs: readonly string[] },
): Promise<string | undefined> {
  const folders = makeFolders(workInAppliance)
  const session = await openNamespace({
    directory: path.join(workInAppliance, 'mounts'),
    userNamespace: false,
    machine: appliance,
    signal: here.context.signal,
    log: here.work.log,
  })
  const apt = Object.entries(here.work.apt).map(([name, access]) => [name, fromAppliance(access)] as const)
  const build: Build = {
    ...here,
    work: { ...here.work, apt: Object.fromEntries(apt) },
    session,
    folders,
  }
  const { file, parts, inputs } = stretch
  if (inputs.length > 0) await unpackInputs(build)
  const devices = await partitionDevices(build, diskDevice('image'))
  const disk = await mountDisk(build, file, {
    tree: folders.tree,
    readOnly: false,
    parts,
    deviceOf: ({ start }) => {
      const device = devices.get(start)
      if (device === undefined) throw new Error(`the appliance has no partition at byte ${start} of the disk`)
      return device
    },
  })
  const staged = inputs.map((name, place) => [name, path.join(workInAppliance, 'inputs', String(place))])
  const isSealed = await runOnMounted(build, {
    disk,
    tools: '/',
    inputs: Object.fromEntries(staged) as Record<string, string>,
    from: stretch.from,
    to: stretch.to,
  })
  const treeDigest = isSealed ? await digestMounted(build, disk) : undefined
  await unmountImage(build)
  await session.close()
  return treeDigest
}

const workInAppliance = '/img/work'

async function unpackInputs(build: Build): Promise<void> {
  const to = path.join(workInAppliance, 'inputs')
  const script =
    'mkdir -p "$1" && tar --extract --no-same-owner --same-permissions --file "$2" --directory "$1"'
  await runOnHost(build, ['sh', '-euc', script, 'sh', to, diskDevice('inputs')], {
    what: 'unpacking the inputs',
  })
}

/** This machine's loopback, where the mirror listens, is what the appliance's network calls its gateway. */
function fromAppliance(access: AptAccess): AptAccess {
  const gateway = '169.254.2.2'
  return {
    ...access,
    sources: access.sources.map((line) => line.replaceAll('//127.0.0.1:', `//${gateway}:`)),
    config: [...access.config, `Acquire::http::Proxy::${gateway} "DIRECT";`],
  }
}
