// Runs chroot steps in fresh namespaces: as root for everything, without root for layers that begin a chain.

import path from 'node:path'
import { openRawSource } from '../../cache/block-source.ts'
import type { RunContext } from '../context.ts'
import { ImgError } from '../errors.ts'
import type { Step } from '../plan/step.ts'
import type { Backend, BackendProbe, Work, WorkResult } from './backend.ts'
import { layGuards, takeGuards } from './chroot-guards.ts'
import { type MountedSteps, runOnMounted } from './chroot-layer.ts'
import { runTreeStep } from './chroot-steps.ts'
import { cleanDisk } from './clean-disk.ts'
import { makeDisk } from './disk-assemble.ts'
import { digestOutside, inspectDisk } from './disk-inspect.ts'
import { endProcesses, mountDisk, unmountDisk } from './disk-mounts.ts'
import type { KnownContents } from './known-contents.ts'
import { announce, explainWrite, runOnHost, type Build } from './namespace-build.ts'
import { mountImage, mountTools } from './namespace-mounts.ts'
import { probeNamespace } from './namespace-probe.ts'
import type { NamespaceStandby, TakenBuild } from './namespace-standby.ts'
import { digestTree } from './namespace-tree.ts'
import type { OverlayDisk } from './overlay-disk.ts'
import { packTools } from './tool-tree.ts'
import { readToolVersions } from './tool-versions.ts'
import { withBuild } from './with-build.ts'
import { digestFinished, openWorkDisk, type WorkDisk } from './work-disk.ts'

/** With a standby, layers on a parent begin on what that has ready, when it is of the same parent. */
export function namespaceBackend(standby?: NamespaceStandby): Backend {
  const runReady = async (work: Work, context: RunContext): Promise<WorkResult> => {
    const taken = await standby?.take(work, context)
    return taken === undefined
      ? run(work, context, standby?.contents)
      : runTaken(taken, work, standby?.contents)
  }
  return {
    name: 'namespace',
    modes: ['chroot'],
    steps: chrootSteps,
    mounts: chrootSteps,
    needsTools: true,
    overlays: true,
    probe,
    run: runReady,
  }
}

/** A user may not mount a disk, not even in a namespace of its own. */
async function probe(context: RunContext): Promise<BackendProbe> {
  const found = await probeNamespace(context)
  return found.available && context.uid !== 0 ? { available: true, firstOnly: true } : found
}

const chrootSteps: ReadonlySet<Step['do']> = new Set<Step['do']>([
  'bootstrap',
  'run',
  'apt',
  'write',
  'copy',
  'mkdir',
  'link',
  'remove',
  'puppet',
  'script',
  'trim',
  'seal',
  'disk',
  'archive',
])

async function run(work: Work, context: RunContext, known?: KnownContents): Promise<WorkResult> {
  if (work.parentDisk !== undefined && context.uid !== 0) {
    throw new ImgError('BACKEND_UNAVAILABLE', `layer ${work.layer}: mounting its parent's disk needs root`, {
      layer: work.layer,
      hint: 'run img as root, or use the libguestfs backend',
    })
  }
  if (work.parentDisk === undefined) return withBuild(work, context, runFirst)
  return withBuild(work, context, (build, overlay) => runOnParent(build, overlay, known))
}

/** A layer on a disk that was ready before. */
async function runTaken(
  { build, disk, on, leave }: TakenBuild,
  work: Work,
  known?: KnownContents,
): Promise<WorkResult> {
  let file: string | undefined
  try {
    const result = await runOnDisk(build, { disk, on, tools: work.tools ?? '', isEntered: true, known })
    file = result.files['disk.raw'] ?? ''
    return { ...result, files: { 'disk.raw': path.join(work.directory, path.basename(file)) } }
  } catch (error) {
    throw explainWrite(work, error)
  } finally {
    await leave(file)
  }
}

/** A layer without parent: a folder is filled and becomes a disk or an archive. */
async function runFirst(build: Build): Promise<WorkResult> {
  const { work, session, folders } = build
  if (work.tools !== undefined) await mountTools(session, folders, work.tools)
  for (const [index, step] of work.steps.entries()) {
    announce(build, index)
    if (step.do === 'disk') {
      const versions = await readToolVersions(build)
      await endProcesses(build)
      const disk = await makeDisk(build, step.layout)
      const parts = await inspectDisk(build, disk)
      const source = openRawSource(disk)
      const about = digestOutside(source, parts)
      source.close()
      const treeDigest = await digestTree(build, { about, filesystemRoots: [] })
      await removeWorkTree(build)
      return { files: { 'disk.raw': disk }, treeDigest, toolVersions: versions }
    }
    if (step.do === 'archive') {
      await endProcesses(build)
      const archive = await packTools(build)
      const treeDigest = await digestTree(build, { about: 'archive', filesystemRoots: [] })
      const toolVersions = await readToolVersions(build)
      await removeWorkTree(build)
      return { files: { 'root.tar': archive }, treeDigest, toolVersions }
    }
    if (step.do === 'seal') await takeGuards(build, undefined)
    await runTreeStep(build, step)
    // A tool tree has no other tools to be sealed and packed with than its own.
    if (step.do === 'bootstrap' && work.tools === undefined) await mountTools(session, folders, folders.tree)
    if (step.do === 'bootstrap') {
      await mountImage(session, folders, { tools: work.tools, inputs: work.inputs })
      await layGuards(build)
    }
  }
  throw new Error(`layer ${work.layer} has no parent and ends without a disk or an archive`)
}

/** A layer on a parent: steps run on an overlay of its disk, or in a copy. */
async function runOnParent(
  build: Build,
  overlay: OverlayDisk | undefined,
  known: KnownContents | undefined,
): Promise<WorkResult> {
  const { work, session, folders } = build
  if (work.tools === undefined) throw new Error(`layer ${work.layer} has a parent but no tool tree`)
  const on = await openWorkDisk(build, overlay)
  await mountTools(session, folders, work.tools)
  return runOnDisk(build, { disk: await mountDisk(build, on.file), on, tools: work.tools, known })
}

async function runOnDisk(
  build: Build,
  {
    disk,
    on,
    tools,
    known,
    ...entered
  }: Pick<MountedSteps, 'disk' | 'tools' | 'isEntered'> & {
    readonly on: WorkDisk
    readonly known: KnownContents | undefined
  },
): Promise<WorkResult> {
  const { work, session, folders } = build
  const { inputs, steps } = work
  const isSealed = await runOnMounted(build, { ...entered, disk, tools, inputs, from: 0, to: steps.length })
  const toolVersions = await readToolVersions(build)
  await unmountDisk(build, disk)
  await mountTools(session, folders, tools)
  await cleanDisk(build, disk.file, disk.parts)
  await removeWorkTree(build)
  const treeDigest = isSealed ? await digestFinished(build, disk, { on, known }) : undefined
  const file = await on.complete()
  return {
    files: { 'disk.raw': file },
    ...(on.overlay === undefined ? {} : { isOverlay: true }),
    ...(treeDigest === undefined ? {} : { treeDigest }),
    toolVersions,
  }
}

/** What is left of the work folder besides the files may belong to ids the caller cannot remove. */
async function removeWorkTree(build: Build): Promise<void> {
  const { tools, image, tree, work } = build.folders
  // Lazily: a tool tree that packs itself is mounted within itself, and no loop device is left by now.
  const script = `
for root in "$1" "$2"; do
  while mountpoint -q "$root"; do umount --lazy "$root"; done
done
rm -rf --one-file-system -- "$3" "$4/apt" "$4/esp" "$4/out" "$4/debconf" "$4/tree.tar" "$4/parts"
`
  await runOnHost(build, ['sh', '-euc', script, 'sh', tools, image, tree, work], {
    what: 'removing the work tree',
  })
}
